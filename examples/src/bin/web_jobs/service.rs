//! The service: each request is a job of the flow, and all jobs share one pool of threads.
//!
//! A job is listed while its request lives. When the request ends, with an answer or because the client has gone away, its
//! [`Listing`] is dropped: that takes the job's entry out of the list, and with it the last handle, which cancels a
//! job that still runs. So there is no entry without a request, and an id is unknown once it has been answered. How many
//! jobs ended in which way is all that is kept.

use crate::flow::{Analysis, Progress, Reading, Unreadable};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use routilux::prelude::*;
use routilux::{LiveOutput, Pool};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt};

/// The service, whose jobs run on `pool`; each text takes `takes`.
pub(crate) fn router(pool: Pool, takes: Duration) -> Router {
    let jobs = Jobs { pool, takes, listed: Mutex::default(), ended: Mutex::default() };
    Router::new()
        .route("/jobs", get(totals).post(analyse))
        .route("/jobs/{id}", get(status))
        .route("/jobs/{id}/progress", get(progress))
        .with_state(Arc::new(jobs))
}

/// All jobs.
struct Jobs {
    pool: Pool,
    takes: Duration,
    /// Those that run, by id.
    listed: Mutex<BTreeMap<String, Listed>>,
    ended: Mutex<Ended>,
}

/// A job that runs.
struct Listed {
    job: JobHandle<Analysis>,
    progress: watch::Receiver<Progress>,
}

/// How many jobs have ended, by how.
#[derive(Clone, Copy, Default, Serialize)]
struct Ended {
    completed: u64,
    failed: u64,
    cancelled: u64,
}

/// Keeps a job on the list.
struct Listing {
    jobs: Arc<Jobs>,
    id: String,
}

impl Drop for Listing {
    fn drop(&mut self) {
        // Dropped once the list is no longer locked.
        let _listed = lock(&self.jobs.listed).remove(&self.id);
    }
}

// None of the locks is held across an `await`.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Jobs {
    /// Lists the job and starts it.
    fn start(
        self: &Arc<Self>,
        job: Job<Analysis>,
        progress: watch::Receiver<Progress>,
    ) -> Result<(JobHandle<Analysis>, Listing), Problem> {
        let jobs = self.clone();
        let job = job.on_end(move |_, status| jobs.count(status));
        let id = job.job_id().to_string();
        let mut listed = lock(&self.listed);
        let Entry::Vacant(place) = listed.entry(id.clone()) else {
            return Err(Problem::new(StatusCode::CONFLICT, format!("the job `{id}` runs already")));
        };
        let job = job.start_on(&self.pool)?.cancel_on_drop();
        place.insert(Listed { job: job.clone(), progress });
        Ok((job, Listing { jobs: self.clone(), id }))
    }

    fn count(&self, status: Status) {
        let mut ended = lock(&self.ended);
        match status {
            Status::Completed => ended.completed += 1,
            Status::Failed => ended.failed += 1,
            _ => ended.cancelled += 1,
        }
    }
}

/// What `POST /jobs` is given.
#[derive(Deserialize)]
struct Order {
    /// Who wants to follow the job names it.
    id: Option<String>,
    texts: Vec<String>,
}

/// What it answers.
#[derive(Serialize)]
struct Analysed {
    id: String,
    readings: Vec<Reading>,
}

/// `POST /jobs`: analyses texts. If the client goes away, axum drops this future, and the job is cancelled.
async fn analyse(State(jobs): State<Arc<Jobs>>, Json(order): Json<Order>) -> Result<Json<Analysed>, Problem> {
    let texts = order.texts.len();
    if texts == 0 {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "there are no texts".to_owned()));
    }
    let mut job = Analysis::new(texts, jobs.takes).job();
    if let Some(id) = order.id {
        job = job.id(id);
    }
    for text in order.texts.into_iter().enumerate() {
        job.inputs().text(text)?;
    }
    // Nothing more comes: without this the job would wait for it.
    job.close_inputs();
    // Asked for before the job starts, so that nothing is missed.
    let steps = job.outputs().progress();

    let (sender, receiver) = watch::channel(Progress { done: 0, texts });
    let (job, listing) = jobs.start(job, receiver)?;
    // Both end when the job does.
    let (report, ()) = tokio::join!(job, publish(steps, sender));
    let readings = report?.result()?.clone();
    Ok(Json(Analysed { id: listing.id.clone(), readings }))
}

/// Tells all who watch the job how far it is. Each live event is received once; a `watch` has any number of readers.
async fn publish(steps: LiveOutput<Progress>, watched: watch::Sender<Progress>) {
    while let Some(step) = steps.next_async().await {
        watched.send_replace(step.payload);
    }
}

/// `GET /jobs/{id}/progress`: how far the job is, as server-sent events until it ends. Who reads slowly is told the
/// newest only.
async fn progress(
    State(jobs): State<Arc<Jobs>>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Problem> {
    let receiver = match lock(&jobs.listed).get(&id) {
        Some(listed) => listed.progress.clone(),
        None => return Err(Problem::unknown(&id)),
    };
    let events =
        WatchStream::new(receiver).map(|progress| Event::default().event("progress").json_data(progress));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// What `GET /jobs/{id}` answers.
#[derive(Serialize)]
struct Running {
    id: String,
    status: Status,
    handled: u64,
    waiting: u64,
    running: u64,
}

/// `GET /jobs/{id}`: a job that runs.
async fn status(State(jobs): State<Arc<Jobs>>, Path(id): Path<String>) -> Result<Json<Running>, Problem> {
    let listed = lock(&jobs.listed);
    let Listed { job, .. } = listed.get(&id).ok_or_else(|| Problem::unknown(&id))?;
    let progress = job.progress();
    Ok(Json(Running {
        status: job.status(),
        handled: progress.handled(),
        waiting: progress.waiting(),
        running: progress.running(),
        id,
    }))
}

/// What `GET /jobs` answers.
#[derive(Serialize)]
struct Totals {
    running: usize,
    #[serde(flatten)]
    ended: Ended,
}

/// `GET /jobs`: how many jobs run, and how many have ended.
async fn totals(State(jobs): State<Arc<Jobs>>) -> Json<Totals> {
    let running = lock(&jobs.listed).len();
    Json(Totals { running, ended: *lock(&jobs.ended) })
}

/// Why there is no answer.
struct Problem {
    status: StatusCode,
    body: Told,
}

#[derive(Serialize)]
struct Told {
    error: String,
    /// Where in the flow it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

impl Problem {
    fn new(status: StatusCode, error: String) -> Self {
        Problem { status, body: Told { error, at: None } }
    }

    fn unknown(id: &str) -> Self {
        Problem::new(StatusCode::NOT_FOUND, format!("no job `{id}` runs"))
    }
}

impl From<routilux::Error> for Problem {
    fn from(error: routilux::Error) -> Self {
        let status = match error.downcast_ref::<Unreadable>() {
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let at = match &error {
            routilux::Error::SlotHandler { routine, slot, .. } => Some(format!("{routine}.{slot}")),
            _ => None,
        };
        Problem { status, body: Told { error: error.to_string(), at } }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
