//! `neurons serve`: a page in the browser on which a declaration is edited, with its equations, its behaviour and its
//! kernels beside it.
//!
//! The server is reachable from this machine only, and takes any text that a browser sends. Declarations are computed
//! in worker processes (`workers`), so that one that takes too long can be stopped, and one that crashes the generator
//! stops nothing else.

mod about;
mod answer;
mod http;
mod mathml;
mod page;
mod question;
mod server;
mod sliders;
mod worker;
mod workers;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};

use clap::Args;

use crate::{Error, Neurons};

/// Where to serve.
#[derive(Args, Debug)]
pub struct Serve {
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 8317)]
    port: u16,
    /// Compute what standard input asks for: how the server runs its workers
    #[arg(long, hide = true)]
    worker: bool,
}

/// Serves until the process is stopped.
///
/// # Errors
/// [`Error::Port`] if the port is taken, [`Error::Worker`] if worker processes cannot be started.
pub fn serve(neurons: &Neurons, args: &Serve, out: &mut dyn Write) -> Result<(), Error> {
    if args.worker {
        return worker::run(out);
    }
    let taken = |source| Error::Port { port: args.port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    let pool = workers::Pool::start()?;
    writeln!(out, "http://{address}/\nPress Ctrl-C to stop.")?;
    out.flush()?;
    server::run(&listener, address.port(), &page::Page::new(neurons)?, &pool);
    Ok(())
}
