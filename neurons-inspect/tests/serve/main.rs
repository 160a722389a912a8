//! `neurons serve` as a browser sees it: over HTTP.

mod answers;
mod hostile;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A server of its own for a test.
struct Server {
    process: Child,
    port: u16,
}

/// What the server sent.
struct Response {
    status: u16,
    head: String,
    body: String,
}

impl Server {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_neurons"));
        let mut process = command
            .args(["serve", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix('/'));
        Self { process, port: port.unwrap_or_else(|| panic!("{line}")).parse().unwrap() }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }

    /// Sends bytes, and reads until the server closes the connection.
    fn send(&self, request: &[u8]) -> Response {
        let mut stream = self.connect();
        // The server may have refused the request before all of it was sent.
        let _ = stream.write_all(request);
        let _ = stream.shutdown(Shutdown::Write);
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        let response = String::from_utf8(response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Response { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.port).as_bytes())
    }

    fn post(&self, body: &str) -> Response {
        let (port, length) = (self.port, body.len());
        let head = format!(
            "POST /answer HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        self.send((head + body).as_bytes())
    }

    fn ask(&self, question: &Value) -> Value {
        let response = self.post(&question.to_string());
        assert_eq!(response.status, 200, "{}", response.body);
        serde_json::from_str(&response.body).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[test]
fn the_page_needs_nothing_else() {
    let server = Server::start();
    let page = server.get("/");
    assert_eq!(page.status, 200);
    assert!(page.head.contains("Content-Type: text/html"), "{}", page.head);
    assert!(page.head.contains("Content-Security-Policy: default-src 'none'"), "{}", page.head);
    // The files that it names, and those that these name.
    let mut open: Vec<String> =
        ["href=\"/", "src=\"/"].iter().flat_map(|before| quoted(&page.body, before)).collect();
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        if seen.contains(&path) {
            continue;
        }
        let file = server.get(&format!("/{path}"));
        assert_eq!(file.status, 200, "{path}");
        assert!(file.head.contains("X-Content-Type-Options: nosniff"), "{path}");
        assert!(!file.body.contains("https://") && !file.body.is_empty(), "{path}");
        open.extend(quoted(&file.body, "from \"./"));
        seen.push(path);
    }
    assert!(["main.js", "link.js", "figures.css"].iter().all(|name| seen.iter().any(|path| path == name)));
}

/// What is between `before` and the next quote.
fn quoted(text: &str, before: &str) -> Vec<String> {
    text.split(before).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[test]
fn the_menu_has_all_neurons() {
    let server = Server::start();
    let menu: Value = serde_json::from_str(&server.get("/neurons.json").body).unwrap();
    let starts = menu["neurons"].as_array().unwrap();
    let names: Vec<&str> = starts.iter().map(|start| start["name"].as_str().unwrap()).collect();
    for neuron in neurons_inspect::Neurons::default().zoo().iter() {
        assert!(names.contains(&neuron.spec().name), "{}", neuron.spec().name);
    }
    let guide = std::fs::read_to_string(workspace("docs/guide.md")).unwrap();
    let text = starts.last().unwrap()["text"].as_str().unwrap();
    assert!(guide.contains(text), "the guide's neuron has changed:\n{text}");
    assert_eq!(menu["surrogates"].as_array().unwrap().len(), neuron_runtime::Surrogate::all().count());
}

#[test]
fn a_taken_port_is_said() {
    let server = Server::start();
    let mut command = Command::new(env!("CARGO_BIN_EXE_neurons"));
    let output = command.args(["serve", "--port", &server.port.to_string()]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(error.contains(&format!("cannot listen on port {}", server.port)), "{error}");
    assert!(error.contains("`--port 0` takes any that is free"), "{error}");
}

/// A question about a declaration.
fn question(text: &str, show: &[&str]) -> Value {
    json!({ "text": text, "show": show })
}

const LIF: &str = "struct Lif { param tau = 2.0 where tau > 1.0; flag slow = false;
    charge = v + (x - v) / tau + if slow { 0.0 } else { 0.1 }; reset hard | soft; }";
