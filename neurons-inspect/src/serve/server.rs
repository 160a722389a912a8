//! Connections, and what is at which path.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{io, thread};

use serde::Serialize;

use super::http::{Refusal, Request, Status, respond};
use super::page::Page;
use super::workers::Pool;

/// Most connections at a time. A browser keeps some open in advance.
const CONNECTIONS: usize = 32;
/// Stack of a connection's thread, which parses a request and waits for a worker.
const STACK: usize = 256 << 10;

const JSON: &str = "application/json";

/// Accepts connections until the process is stopped.
pub fn run(listener: &TcpListener, port: u16, page: &Page, pool: &Pool) {
    let open = AtomicUsize::new(0);
    let site = Site { port, page, pool };
    thread::scope(|scope| {
        for connection in listener.incoming() {
            let Ok(mut stream) = connection else {
                // Out of file descriptors, most likely: connections that close make room.
                thread::sleep(Duration::from_millis(50));
                continue;
            };
            let closed = Closed(&open);
            if open.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS {
                let refusal = Refusal::new(Status::Busy, "more than 32 connections are open");
                // A client that does not wait for the answer does not get one.
                let _ = refuse(&mut stream, &refusal);
                continue;
            }
            let site = &site;
            let started = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                let _closed = closed;
                site.connection(&mut stream);
            });
            // Without a thread the connection has been closed, which is all that can be told to the client.
            drop(started);
        }
    });
}

/// Counts a connection as closed.
struct Closed<'a>(&'a AtomicUsize);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Site<'a> {
    port: u16,
    page: &'a Page,
    pool: &'a Pool,
}

impl Site<'_> {
    fn connection(&self, stream: &mut TcpStream) {
        // A client that does not wait for the answer does not get one.
        let _ = match Request::read(stream) {
            Ok(request) => match self.answer(&request) {
                Ok((kind, body)) => respond(stream, Status::Ok, kind, &body),
                Err(refusal) => refuse(stream, &refusal),
            },
            Err(Some(refusal)) => refuse(stream, &refusal),
            Err(None) => Ok(()),
        };
    }

    fn answer(&self, request: &Request) -> Result<(&'static str, Vec<u8>), Refusal> {
        self.check_host(request)?;
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/neurons.json") => Ok((JSON, self.page.menu.as_bytes().to_vec())),
            ("POST", "/answer") => {
                if request.header("content-type") != Some(JSON) {
                    return Err(Refusal::new(
                        Status::UnsupportedType,
                        "expected a body of `application/json`",
                    ));
                }
                Ok((JSON, self.pool.answer(&request.body)?))
            }
            ("GET", path) => match Page::file(path) {
                Some((kind, text)) => Ok((kind, text.as_bytes().to_vec())),
                None => Err(Refusal::new(Status::NotFound, format_args!("there is nothing at `{path}`"))),
            },
            _ => Err(Refusal::new(Status::MethodNotAllowed, "expected `GET`, or `POST /answer`")),
        }
    }

    /// Refuses what other sites make a browser send: by a name of theirs that leads to this machine, or from their pages.
    fn check_host(&self, request: &Request) -> Result<(), Refusal> {
        let hosts = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{}", self.port));
        let host = request.header("host");
        let Some(host) = host.filter(|host| hosts.iter().any(|known| known.eq_ignore_ascii_case(host)))
        else {
            let reason = format!("expected `Host: {}`, found `{}`", hosts[0], host.unwrap_or_default());
            return Err(Refusal::new(Status::Misdirected, reason));
        };
        let origin = request.header("origin");
        let is_own = origin.is_none_or(|origin| origin.eq_ignore_ascii_case(&format!("http://{host}")));
        let site = request.header("sec-fetch-site");
        // `none`: typed into the address bar.
        if !is_own || !site.is_none_or(|site| ["same-origin", "none"].contains(&site)) {
            return Err(Refusal::new(Status::Forbidden, "requests from other sites are not answered"));
        }
        Ok(())
    }
}

fn refuse(stream: &mut TcpStream, refusal: &Refusal) -> io::Result<()> {
    #[derive(Serialize)]
    struct Body<'a> {
        refused: &'a str,
    }
    let body = serde_json::to_vec(&Body { refused: &refusal.reason })?;
    respond(stream, refusal.status, JSON, &body)
}
