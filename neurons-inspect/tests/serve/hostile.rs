//! Requests that are not the page's, and declarations that are not meant well.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{LIF, Server, question};

#[test]
fn only_the_page_is_answered() {
    let server = Server::start();
    let port = server.port;
    let get = |headers: &str| server.send(format!("GET / HTTP/1.1\r\n{headers}\r\n").as_bytes()).status;
    let own = format!("Host: 127.0.0.1:{port}\r\n");
    assert_eq!(get(&own), 200);
    assert_eq!(get(&format!("{own}Sec-Fetch-Site: none\r\n")), 200);
    for (headers, status) in [
        (String::new(), 421),
        (format!("Host: evil.example:{port}\r\n"), 421),
        ("Host: 127.0.0.1\r\n".to_owned(), 421),
        (format!("{own}{own}"), 421),
        (format!("{own}Origin: http://evil.example\r\n"), 403),
        (format!("{own}Origin: null\r\n"), 403),
        (format!("{own}Sec-Fetch-Site: cross-site\r\n"), 403),
        (format!("{own}X: {}\r\n", "x".repeat(20_000)), 431),
        (format!("{own}{}", "X: x\r\n".repeat(100)), 431),
    ] {
        assert_eq!(get(&headers), status, "{headers:.100}");
    }
    let post = |headers: &str, body: &str| {
        server.send(format!("POST /answer HTTP/1.1\r\n{own}{headers}\r\n{body}").as_bytes()).status
    };
    assert_eq!(post("Content-Length: 2\r\n", "{}"), 415);
    assert_eq!(post("Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}"), 415);
    assert_eq!(post("Content-Type: application/json\r\nContent-Length: 1\r\n", "{"), 400);
    assert_eq!(post("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 411);
    assert_eq!(post("Content-Type: application/json\r\nContent-Length: 9999999999\r\n", ""), 413);
    assert_eq!(post("Content-Type: application/json\r\nContent-Length: -1\r\n", ""), 411);
    assert_eq!(server.send(b"\x16\x03\x01\x02\x00 not HTTP\r\n\r\n").status, 400);
    assert_eq!(
        server.send(format!("DELETE / HTTP/1.1\r\n{own}Content-Length: 0\r\n\r\n").as_bytes()).status,
        405
    );
    for path in ["/../Cargo.toml", "/etc/passwd", "/%2e%2e/main.js", "/main.js/", "//main.js"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn whatever_the_text_there_is_an_answer() {
    let server = Server::start();
    let chain = format!("struct A {{ charge = v{}; reset hard; }}", " + x * v".repeat(2000));
    let powers = format!("struct A {{ charge = {}v; reset hard; }}", "-".repeat(30_000));
    let branches = format!(
        "struct A {{ charge = {} v {}; reset hard; }}",
        "if x > 0.0 { v } else { ".repeat(250),
        "}".repeat(250)
    );
    let texts = [
        "",
        "\0",
        "\u{feff}",
        "struct",
        "neuron! {",
        "}}}}",
        "'",
        "\"",
        "/* ",
        "neuron!()",
        "neuron! { struct A { charge = \u{202e}v; reset hard; } }",
        "struct A { charge = v + x; reset hard; } struct B {}",
        "struct A { param p = 1e999; charge = p * x; reset hard; }",
        "struct A { charge = v ^ 99999999999999999999; reset hard; }",
        "struct A { charge = exp(exp(exp(exp(1e9 * x + 1e9)))); reset hard; }",
        "struct A { charge = x / 0.0; reset soft; }",
        "struct A { param tau = 1.0 where tau > 2.0; charge = x / tau; reset hard; }",
        &"(".repeat(60_000),
        &"(".repeat(256),
        &format!("struct A {{ charge = {}v{}; reset hard; }}", "(".repeat(250), ")".repeat(250)),
        &chain,
        &powers,
        &branches,
    ];
    for text in texts {
        let response =
            server.post(&question(text, &["equations", "trace", "fi", "phase", "gradient"]).to_string());
        // 503: it took too long, which is an answer, too.
        assert!([200, 503].contains(&response.status), "{text:.80}: {}", response.body);
        let answer: Value = serde_json::from_str(&response.body).unwrap();
        let is_told =
            answer["refused"].is_string() || answer["problems"].as_array().is_some_and(|all| !all.is_empty());
        assert!(is_told || answer["neuron"].is_object(), "{text:.80}: {}", response.body);
    }
    let mistakes = format!("struct A {{ charge = {}; reset hard; }}", "y + ".repeat(200) + "{}");
    let lines = format!("struct A {{ {} charge = v + x; reset hard; }}", "let a = y;\n".repeat(3000));
    for text in [mistakes, lines] {
        let answer = server.ask(&question(&text, &["trace"]));
        let problems = answer["problems"].as_array().unwrap();
        assert!(!problems.is_empty() && problems.len() <= 100, "{}", problems.len());
        assert_eq!(answer["omitted"] != 0, problems.len() == 100, "{}", answer["omitted"]);
    }
    let long = server.ask(&question(&" ".repeat(70_000), &[]));
    assert_eq!(long["refused"], "the declaration has 70000 bytes; at most 65536 are read");
    assert_eq!(server.post(&question(&" ".repeat(300_000), &[]).to_string()).status, 413);
    assert!(server.ask(&question(LIF, &["trace"]))["pictures"]["trace"]["svg"].is_string());
}

#[test]
fn text_does_not_become_markup() {
    let text = "struct A {
        /// <script>\u{1}alert(1)</script>, mV.
        state w = 0.0;
        /// <img src=x onerror=alert(1)>
        param tau = 2.0;
        charge = v + x / tau - w; update w = 0.5 * w + spike; reset hard; }";
    let answer = Server::start().ask(&question(text, &["equations", "trace", "phase", "gradient"]));
    for picture in ["trace", "phase", "gradient"] {
        let svg = answer["pictures"][picture]["svg"].as_str().unwrap();
        assert!(!svg.contains("<script") && !svg.contains("<img") && !svg.contains('\u{1}'), "{svg}");
    }
    assert!(answer["pictures"]["trace"]["svg"].as_str().unwrap().contains("&lt;script&gt;"));
}

#[test]
fn what_takes_too_long_is_stopped() {
    let server = Server::start();
    let sum = |n: usize| (0..150).map(|i| format!(" + exp(0.{n}00{i} * x)")).collect::<String>();
    let sums: String = (0..12).map(|n| format!("let s{n} = v{};\n", sum(n))).collect();
    let all: Vec<String> = (0..12).map(|n| format!("s{n}")).collect();
    let all = all.join(" + ");
    let text = format!("struct A {{ {sums} charge = {all}; reset hard; }}");
    let start = Instant::now();
    let slow = json!({ "text": text, "show": ["fi"], "amplitude": 1, "steps": 20_000 });
    let response = server.post(&slow.to_string());
    assert_eq!(response.status, 503, "{:.300}", response.body);
    assert!(response.body.contains("takes longer than 5 s and was stopped"), "{}", response.body);
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(server.ask(&question(LIF, &["trace"]))["pictures"]["trace"]["svg"].is_string());
}

#[test]
#[cfg(target_os = "linux")]
fn workers_that_are_stopped_are_replaced() {
    let server = Server::start();
    let answers = || server.ask(&question(LIF, &["trace"]))["pictures"]["trace"]["svg"].is_string();
    assert!(answers());
    let server_id = server.process.id();
    let children = std::fs::read_dir(format!("/proc/{server_id}/task")).unwrap();
    let children = children.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("children")));
    let workers: Vec<String> = children
        .flat_map(|ids| ids.unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(workers.len(), 2);
    assert!(std::process::Command::new("kill").arg("-KILL").args(&workers).status().unwrap().success());
    assert!(answers() && answers() && answers());
}

#[test]
fn idle_connections_are_limited() {
    let server = Server::start();
    let mut idle: Vec<_> = (0..31).map(|_| server.connect()).collect();
    idle[0].write_all(b"GET / HT").unwrap();
    // One of 32 is left; connections are accepted in order.
    assert_eq!(server.get("/").status, 200);
    idle.extend((0..10).map(|_| server.connect()));
    assert_eq!(server.get("/").status, 503);
    drop(idle);
    let start = Instant::now();
    while server.get("/").status != 200 {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
}
