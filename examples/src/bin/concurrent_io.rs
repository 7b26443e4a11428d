//! What waits can wait at once: naps, then HTTP requests, one after another and on several workers.
//!
//! The flow is the same value both times, and so are its answers; only the order in which they come may differ. The
//! requests go to a small server that the program starts itself, on the loopback interface.

use axum::{Router, extract::Path, routing::get};
use clap::Parser;
use routilux::prelude::*;
use std::fmt;
use std::future::IntoFuture;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use ureq::Agent;

/// How long a nap is.
const NAP: Duration = Duration::from_millis(10);
/// How long the server takes for an answer.
const THINKING: Duration = Duration::from_millis(5);
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sleeps.
#[routine]
struct Sleeper {
    nap: Duration,
}

#[routine]
impl Sleeper {
    /// A nap is over.
    #[event]
    fn rested(told: String);

    /// Takes a nap. It blocks its worker meanwhile, and since it takes `&self`, only that one.
    #[slot]
    fn nap(&self, number: u64, out: &mut Emit<Self>) {
        std::thread::sleep(self.nap);
        out.rested(format!("nap {number} is over"));
    }
}

/// Asks a server for pages.
#[routine]
struct Client {
    server: String,
    #[resource]
    agent: Agent,
}

#[routine]
impl Client {
    /// What the page says.
    #[event]
    fn answer(text: String);

    /// Asks for one page.
    #[slot]
    fn page(&self, number: u64, out: &mut Emit<Self>) -> Result {
        let mut response = self.agent.get(format!("{}/pages/{number}", self.server)).call()?;
        out.answer(response.body_mut().read_to_string()?);
        Ok(())
    }
}

flow! {
    /// Naps and requests, none of which waits for another.
    flow Waits(nap: Duration, server: String, agent: Agent) {
        sleeper: Sleeper { nap };
        client:  Client { server, agent };

        in nap         -> sleeper.nap;
        in page        -> client.page;
        sleeper.rested -> out answers;
        client.answer  -> out answers;
    }
}

/// Naps and HTTP requests, first one after another and then on several workers: how long each takes.
#[derive(Parser)]
#[command(name = "concurrent_io", version)]
struct Arguments {
    /// How many naps of 10 ms
    #[arg(long, value_name = "N", default_value_t = 64)]
    naps: u64,
    /// How many requests, each of which the server takes 5 ms for
    #[arg(long, value_name = "N", default_value_t = 64)]
    requests: u64,
    /// On how many workers, which is how many wait at once
    #[arg(long, value_name = "N", default_value = "16")]
    workers: NonZeroUsize,
}

fn main() -> ExitCode {
    examples::end("concurrent_io", run(Arguments::parse()))
}

fn run(arguments: Arguments) -> Result<(), String> {
    let runtime = Runtime::new().map_err(|error| format!("the server: {error}"))?;
    let server = serve(&runtime).map_err(|error| format!("the server: {error}"))?;
    let workers = arguments.workers.get();
    let flow = Waits::new(NAP, server, agent(workers));

    examples::print(format_args!("{:<16}{:>12}{:>12}{:>8}\n", "", "sequential", "concurrent", "ratio"))?;
    for (work, count) in [(Work::Naps, arguments.naps), (Work::Requests, arguments.requests)] {
        let sequential = sequentially(&flow, work, count).map_err(examples::in_words)?;
        let concurrent = concurrently(&flow, work, count, workers).map_err(examples::in_words)?;
        if sequential.answers != concurrent.answers {
            return Err(format!("{count} {work}: the answers differ"));
        }
        examples::print(Row { work, sequential, concurrent })?;
    }
    examples::print("The answers were the same.\n")
}

/// Starts the server, and gives its address. It ends with the runtime.
fn serve(runtime: &Runtime) -> std::io::Result<String> {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/pages/{number}", get(page));
    runtime.spawn(axum::serve(listener, router).into_future());
    Ok(format!("http://{address}"))
}

async fn page(Path(number): Path<u64>) -> String {
    tokio::time::sleep(THINKING).await;
    format!("page {number}")
}

/// A client that keeps a connection for each worker.
fn agent(workers: usize) -> Agent {
    let config = Agent::config_builder()
        .max_idle_connections(workers)
        .max_idle_connections_per_host(workers)
        .timeout_global(Some(TIMEOUT))
        // The server is on this machine, wherever the environment sends others.
        .proxy(None);
    config.build().into()
}

/// What there is to do.
#[derive(Clone, Copy)]
enum Work {
    Naps,
    Requests,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Work::Naps => "naps",
            Work::Requests => "requests",
        })
    }
}

/// A job that has been given so much to do.
fn job_of(flow: &Waits, work: Work, count: u64) -> routilux::Result<Job<Waits>> {
    let mut job = flow.job();
    for number in 0..count {
        match work {
            Work::Naps => job.inputs().nap(number)?,
            Work::Requests => job.inputs().page(number)?,
        }
    }
    Ok(job)
}

/// What a job came to.
struct Done {
    took: Duration,
    /// Sorted: which comes first says nothing.
    answers: Vec<String>,
}

impl Done {
    fn new(took: Duration, answers: impl Iterator<Item = String>) -> Self {
        let mut answers: Vec<String> = answers.collect();
        answers.sort_unstable();
        Done { took, answers }
    }
}

fn sequentially(flow: &Waits, work: Work, count: u64) -> routilux::Result<Done> {
    let mut job = job_of(flow, work, count)?;
    let start = Instant::now();
    let _ = job.run()?;
    Ok(Done::new(start.elapsed(), job.outputs().answers()))
}

fn concurrently(flow: &Waits, work: Work, count: u64, workers: usize) -> routilux::Result<Done> {
    let job = job_of(flow, work, count)?.workers(workers);
    let start = Instant::now();
    let job = job.start()?;
    let _ = job.finish()?;
    Ok(Done::new(start.elapsed(), job.outputs().answers()))
}

/// A line of the table.
struct Row {
    work: Work,
    sequential: Done,
    concurrent: Done,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = [&self.sequential, &self.concurrent].map(|done| done.took.as_secs_f64() * 1000.0);
        let what = format!("{} {}", self.concurrent.answers.len(), self.work);
        writeln!(f, "{what:<16}{one:>9.1} ms{other:>9.1} ms{:>8.1}", one / other)
    }
}
