//! Processes that compute answers: each can be stopped, and takes with it what it has allocated.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::http::{Refusal, Status};
use crate::Error;

/// Most worker processes. A page asks for two things at a time.
const WORKERS: usize = 2;
/// How long an answer may take.
const BUDGET: Duration = Duration::from_secs(5);
/// How long a request waits for a worker.
const PATIENCE: Duration = Duration::from_secs(10);
/// Answers after which a worker is replaced, since what it has learnt of declarations is never freed.
const ANSWERS: usize = 1000;

/// The workers that wait for something to do. In place of one that ended there is none, until it is needed.
pub struct Pool {
    idle: Mutex<Vec<Option<Worker>>>,
    returned: Condvar,
}

impl Pool {
    /// Starts all workers.
    ///
    /// # Errors
    /// [`Error::Worker`]
    pub fn start() -> Result<Self, Error> {
        let workers = (0..WORKERS).map(|_| Worker::start().map(Some)).collect::<Result<_, _>>();
        let idle = Mutex::new(workers.map_err(|source| Error::Worker { source })?);
        Ok(Self { idle, returned: Condvar::new() })
    }

    /// The answer to a question; both are JSON.
    pub fn answer(&self, question: &[u8]) -> Result<Vec<u8>, Refusal> {
        // On one line, whatever the lines of the request.
        let question: Value = serde_json::from_slice(question)
            .map_err(|error| Refusal::new(Status::BadRequest, format_args!("this is not JSON: {error}")))?;
        let question = question.to_string();
        let mut worker = self.take()?.map_or_else(Worker::start, Ok).map_err(|error| {
            self.give(None);
            Refusal::new(Status::Failed, format_args!("cannot start a worker: {error}"))
        })?;
        let mut answer = worker.answer(&question);
        // It may have been stopped from outside before it was asked. A question that stops it stops the next one, too.
        if matches!(answer, Err(Lost::Stopped))
            && let Ok(next) = Worker::start()
        {
            worker = next;
            answer = worker.answer(&question);
        }
        let is_spent = answer.is_err() || worker.answered >= ANSWERS;
        // Its successor starts while nobody waits for it.
        self.give(if is_spent { Worker::start().ok() } else { Some(worker) });
        answer.map_err(|lost| match lost {
            Lost::Late => Refusal::new(Status::Busy, "this takes longer than 5 s and was stopped"),
            Lost::Stopped => {
                Refusal::new(Status::Failed, "the worker stopped; please report this declaration as a bug")
            }
        })
    }

    fn take(&self) -> Result<Option<Worker>, Refusal> {
        // A panic while it was locked has left a list that is valid.
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.returned.wait_timeout_while(idle, PATIENCE, |idle| idle.is_empty());
        let (mut idle, _) = waited.unwrap_or_else(PoisonError::into_inner);
        idle.pop().ok_or_else(|| Refusal::new(Status::Busy, "all workers are busy; try again"))
    }

    fn give(&self, worker: Option<Worker>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        self.returned.notify_one();
    }
}

/// Why a worker gave no answer.
enum Lost {
    /// It took too long.
    Late,
    /// Its process ended.
    Stopped,
}

/// This command as a worker.
struct Worker {
    process: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
    answered: usize,
}

impl Worker {
    fn start() -> std::io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--worker"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let missing = || std::io::Error::other("a worker without pipes");
        let questions = process.stdin.take().ok_or_else(missing)?;
        let output = process.stdout.take().ok_or_else(missing)?;
        let (sender, answers) = channel();
        // It ends with the process, which closes the pipe.
        thread::Builder::new().stack_size(128 << 10).spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            let _ = lines.map(|line| sender.send(line)).find(Result::is_err);
        })?;
        Ok(Self { process, questions, answers, answered: 0 })
    }

    fn answer(&mut self, question: &str) -> Result<Vec<u8>, Lost> {
        writeln!(self.questions, "{question}").map_err(|_| Lost::Stopped)?;
        self.answered += 1;
        self.answers.recv_timeout(BUDGET).map(String::into_bytes).map_err(|error| match error {
            RecvTimeoutError::Timeout => Lost::Late,
            RecvTimeoutError::Disconnected => Lost::Stopped,
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
