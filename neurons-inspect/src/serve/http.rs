//! Requests and responses of HTTP/1.1, one per connection, within limits of size and time.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Most bytes of a request line and headers.
const MAX_HEAD: usize = 16 << 10;
/// Most headers.
const MAX_HEADERS: usize = 64;
/// Most bytes of a body.
pub const MAX_BODY: usize = 192 << 10;
/// How long a client may take to send a request, or to read the response.
const PATIENCE: Duration = Duration::from_secs(10);

/// A status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Timeout,
    LengthRequired,
    TooLarge,
    UnsupportedType,
    Misdirected,
    HeadersTooLarge,
    Failed,
    Busy,
}

impl Status {
    fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::Forbidden => "403 Forbidden",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::Timeout => "408 Request Timeout",
            Self::LengthRequired => "411 Length Required",
            Self::TooLarge => "413 Content Too Large",
            Self::UnsupportedType => "415 Unsupported Media Type",
            Self::Misdirected => "421 Misdirected Request",
            Self::HeadersTooLarge => "431 Request Header Fields Too Large",
            Self::Failed => "500 Internal Server Error",
            Self::Busy => "503 Service Unavailable",
        }
    }
}

/// Why a request gets no answer.
#[derive(Debug)]
pub struct Refusal {
    pub status: Status,
    pub reason: String,
}

impl Refusal {
    pub fn new(status: Status, reason: impl fmt::Display) -> Self {
        Self { status, reason: reason.to_string() }
    }
}

/// A request that has been received completely.
#[derive(Debug)]
pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// Receives a request.
    ///
    /// # Errors
    /// What it is refused for; `None` if the client left without sending one.
    pub fn read(stream: &mut TcpStream) -> Result<Self, Option<Refusal>> {
        let mut source = Source { stream, deadline: Instant::now() + PATIENCE };
        let mut received = Vec::new();
        loop {
            let complete = head(&received)?;
            if complete.as_ref().map_or(received.len(), |(_, head)| *head) > MAX_HEAD {
                let reason = "the headers are longer than 16 KiB";
                return Err(Some(Refusal::new(Status::HeadersTooLarge, reason)));
            }
            if let Some((mut request, head)) = complete {
                let length = request.length()?;
                request.body = received.split_off(head);
                while request.body.len() < length {
                    source.more(&mut request.body)?;
                }
                request.body.truncate(length);
                return Ok(request);
            }
            source.more(&mut received)?;
        }
    }

    /// A header by its name in lower case, if it is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        value.filter(|_| found.next().is_none())
    }

    fn length(&self) -> Result<usize, Refusal> {
        if self.method == "GET" || self.method == "HEAD" {
            return Ok(0);
        }
        let length = self.header("content-length").and_then(|length| length.parse::<usize>().ok());
        match length {
            Some(length) if length <= MAX_BODY => Ok(length),
            Some(_) => Err(Refusal::new(Status::TooLarge, "the body is longer than 192 KiB")),
            None => Err(Refusal::new(Status::LengthRequired, "expected a body with one `Content-Length`")),
        }
    }
}

/// The request and the length of its head, if all of it has been received.
fn head(received: &[u8]) -> Result<Option<(Request, usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let bad = |reason: httparse::Error| match reason {
        httparse::Error::TooManyHeaders => Refusal::new(Status::HeadersTooLarge, "more than 64 headers"),
        reason => Refusal::new(Status::BadRequest, format_args!("this is not HTTP/1.1: {reason}")),
    };
    let httparse::Status::Complete(length) = parsed.parse(received).map_err(bad)? else { return Ok(None) };
    let path = parsed.path.unwrap_or_default();
    let headers = parsed.headers.iter();
    let header = |header: &httparse::Header<'_>| {
        (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).trim().to_owned())
    };
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.split_once('?').map_or(path, |(path, _)| path).to_owned(),
        headers: headers.map(header).collect(),
        body: Vec::new(),
    };
    Ok(Some((request, length)))
}

/// A connection that is read from until a deadline.
struct Source<'a> {
    stream: &'a mut TcpStream,
    deadline: Instant,
}

impl Source<'_> {
    fn more(&mut self, received: &mut Vec<u8>) -> Result<(), Option<Refusal>> {
        let late = || Some(Refusal::new(Status::Timeout, "the request did not arrive within 10 s"));
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late());
        }
        let mut buffer = [0; 8 << 10];
        let read = self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(&mut buffer));
        match read {
            Ok(0) => Err(None),
            Ok(read) => {
                received.extend_from_slice(&buffer[..read]);
                Ok(())
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => Ok(()),
                // A browser opens connections ahead of time, and need not be told.
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    Err(if received.is_empty() { None } else { late() })
                }
                _ => Err(None),
            },
        }
    }
}

/// How long the rest of a request is waited for after the response.
const LINGER: Duration = Duration::from_millis(200);

/// What the page may load and where it may be shown: only this server's files, and nowhere else. What a declaration says
/// is shown as text; if a mistake let markup through, this keeps it from running.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Sends a response, and closes the connection.
///
/// # Errors
/// Those of the connection.
pub fn respond(stream: &mut TcpStream, status: Status, kind: &str, body: &[u8]) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = format!(
        "HTTP/1.1 {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n\
         Content-Security-Policy: {POLICY}\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\n\r\n",
        status.line(),
        body.len(),
    );
    // At once, or the second write would wait for an acknowledgement of the first.
    let response = [head.as_bytes(), body].concat();
    stream.write_all(&response)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // To close a connection on which something has not been read takes the response back.
    let mut source = Source { stream, deadline: Instant::now() + LINGER };
    let mut rest = Vec::new();
    while source.more(&mut rest).is_ok() {
        rest.clear();
    }
    Ok(())
}
