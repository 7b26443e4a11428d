//! A web service, each request to which is a job: it tells how hard texts are to read.
//!
//! ```sh
//! cargo run --bin web_jobs -- --port 8080 --takes 200
//! curl localhost:8080/jobs --json '{"id": "mine", "texts": ["A cat sat.", "Is it so?"]}'
//! curl localhost:8080/jobs/mine                 # while it runs: its status
//! curl localhost:8080/jobs/mine/progress        # while it runs: server-sent events, until it ends
//! curl localhost:8080/jobs                      # how many run, and how many have ended
//! ```
//!
//! Ctrl-C lets the requests that are there end, and takes no more.

mod flow;
mod service;

use clap::Parser;
use routilux::Pool;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;

/// A web service on the loopback interface that tells how hard texts are to read.
#[derive(Parser)]
#[command(name = "web_jobs", version)]
struct Arguments {
    /// The port; 0 takes a free one, which is told
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How many texts are read at once
    #[arg(long, value_name = "N", default_value = "4")]
    workers: NonZeroUsize,
    /// How long a text takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 20)]
    takes: u64,
}

fn main() -> ExitCode {
    examples::end("web_jobs", serve(Arguments::parse()))
}

// One thread is enough for the requests: the handlers run on the pool.
#[tokio::main(flavor = "current_thread")]
async fn serve(arguments: Arguments) -> Result<(), String> {
    let pool = Pool::new(arguments.workers.get()).map_err(examples::in_words)?;
    let router = service::router(pool, Duration::from_millis(arguments.takes));
    let port = arguments.port;
    let in_words = |error| format!("port {port}: {error}");
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(in_words)?;
    let address = listener.local_addr().map_err(in_words)?;
    examples::print(format_args!("http://{address}\n"))?;
    axum::serve(listener, router).with_graceful_shutdown(ctrl_c()).await.map_err(in_words)
}

async fn ctrl_c() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        examples::tell(format_args!("web_jobs: Ctrl-C: {error}"));
    }
}
