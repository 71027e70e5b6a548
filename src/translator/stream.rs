//! Segments in, translations out, in order: batches of a window of segments are decoded by several workers at once.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::TranslateError;
use super::core::{Core, Decoded, Prepared};
use super::join::join;
use crate::batch::{self, Size};
use crate::model::ModelError;
use crate::text::PassThrough;
use crate::translation::Translation;

/// How a stream divides its work.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Threads in all; each decodes a batch of its own, unless there is one batch alone.
    pub(super) threads: usize,
    /// Most source tokens in a batch, padding counted.
    pub(super) batch_tokens: usize,
}

/// Batches that a worker has in a window, on average: more batch better by length, but come out later.
const BATCHES_IN_WINDOW: usize = 8;

/// The pieces of several segments, to be decoded together.
struct Batch {
    pieces: Vec<(PieceId, Vec<u32>)>,
    /// Whether all threads may work on it.
    alone: bool,
}

/// A segment's number in the stream, and a piece's in the segment.
type PieceId = (u64, usize);

type BatchResult = Result<Vec<(PieceId, Vec<u32>, Decoded)>, ModelError>;

/// A segment between its reading and its yielding.
struct Slot<T> {
    tag: T,
    source: String,
    pieces: Pieces,
}

enum Pieces {
    Copied(Option<PassThrough>),
    Decoding { results: Vec<Option<(Vec<u32>, Decoded)>>, missing: usize },
}

/// Translations of the segments of `segments`, in their order; tags travel along.
///
/// Reads ahead by a bounded number of segments. After an error the stream ends.
pub struct Stream<T, I> {
    segments: I,
    exhausted: bool,
    core: Arc<Core>,
    plan: Plan,
    slots: VecDeque<Slot<T>>,
    /// Number of the segment in the first slot.
    first: u64,
    workers: Option<Workers>,
    in_flight: usize,
    /// Batches to make of the next window.
    window: usize,
}

impl<T, I: Iterator<Item = (T, String)>> Stream<T, I> {
    pub(super) fn new(segments: I, core: Arc<Core>, plan: Plan) -> Self {
        let window = plan.threads;
        Self {
            segments,
            exhausted: false,
            core,
            plan,
            slots: VecDeque::new(),
            first: 0,
            workers: None,
            in_flight: 0,
            window,
        }
    }

    fn workers(&mut self) -> Result<&Workers, TranslateError> {
        if self.workers.is_none() {
            self.workers = Some(Workers::start(&self.core, self.plan.threads)?);
        }
        self.workers.as_ref().ok_or(TranslateError::Worker)
    }

    /// Reads a window of segments and hands it out as batches.
    fn refill(&mut self) -> Result<(), TranslateError> {
        let tokens_wanted = self.window * self.plan.batch_tokens;
        self.window = self.plan.threads * BATCHES_IN_WINDOW;
        let mut tokens = 0;
        let mut pieces = Vec::new();
        while tokens < tokens_wanted {
            let Some((tag, source)) = self.segments.next() else {
                self.exhausted = true;
                break;
            };
            let number = self.first + self.slots.len() as u64;
            let slot_pieces = match self.core.prepare(&source)? {
                Prepared::Copy(reason) => Pieces::Copied(reason),
                Prepared::Decode(ids) => {
                    let missing = ids.len();
                    tokens += ids.iter().map(Vec::len).sum::<usize>();
                    pieces.extend(ids.into_iter().enumerate().map(|(place, ids)| ((number, place), ids)));
                    Pieces::Decoding { results: vec![None; missing], missing }
                }
            };
            // What needs no decoding costs little, but must not be read ahead without bound either.
            tokens += 1 + source.len() / 64;
            self.slots.push_back(Slot { tag, source, pieces: slot_pieces });
        }
        let sizes: Vec<Size> = pieces.iter().map(|(_, ids)| self.core.size(ids)).collect();
        let workers = if self.exhausted { self.plan.threads } else { 1 };
        let batches = batch::plan(&sizes, self.plan.batch_tokens, workers);
        let alone = batches.len() == 1 && self.exhausted && self.in_flight == 0;
        let mut pieces: Vec<_> = pieces.into_iter().map(Some).collect();
        for places in batches {
            let pieces = places.iter().filter_map(|place| pieces.get_mut(*place)?.take()).collect();
            self.workers()?.work.send(Batch { pieces, alone }).map_err(|_| TranslateError::Worker)?;
            self.in_flight += 1;
        }
        Ok(())
    }

    /// Waits for one batch and puts its results into their slots.
    fn collect(&mut self) -> Result<(), TranslateError> {
        let results = self.workers()?.results.recv().map_err(|_| TranslateError::Worker)??;
        self.in_flight -= 1;
        for ((number, place), ids, decoded) in results {
            let slot = number.checked_sub(self.first).and_then(|at| self.slots.get_mut(at as usize));
            if let Some(Slot { pieces: Pieces::Decoding { results, missing }, .. }) = slot
                && let Some(result) = results.get_mut(place)
            {
                *result = Some((ids, decoded));
                *missing -= 1;
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<(T, Translation)>, TranslateError> {
        loop {
            // Workers must find the next batch waiting when they finish one.
            if !self.exhausted && self.in_flight < 2 * self.plan.threads {
                self.refill()?;
            }
            let ready = match self.slots.front() {
                Some(Slot { pieces: Pieces::Decoding { missing, .. }, .. }) => *missing == 0,
                Some(_) => true,
                None if self.exhausted => return Ok(None),
                None => continue,
            };
            if !ready {
                self.collect()?;
            } else if let Some(slot) = self.slots.pop_front() {
                self.first += 1;
                return Ok(Some(self.finish(slot)));
            }
        }
    }

    fn finish(&self, slot: Slot<T>) -> (T, Translation) {
        let translation = match slot.pieces {
            Pieces::Copied(reason) => Translation::copied(slot.source, reason),
            Pieces::Decoding { results, .. } => {
                let pieces = results.into_iter().flatten().collect();
                join(slot.source, pieces, &*self.core.tokenizer, self.core.checks_figures)
            }
        };
        (slot.tag, translation)
    }
}

impl<T, I: Iterator<Item = (T, String)>> Iterator for Stream<T, I> {
    type Item = Result<(T, Translation), TranslateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.exhausted = true;
            self.slots.clear();
            self.workers = None;
        }
        next
    }
}

/// The threads that decode. They end when this is dropped, after the batch at hand.
struct Workers {
    work: Sender<Batch>,
    results: Receiver<BatchResult>,
}

impl Workers {
    fn start(core: &Arc<Core>, threads: usize) -> Result<Self, TranslateError> {
        let (work, queue) = channel();
        let (done, results) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let worker = Worker { core: core.clone(), queue: queue.clone(), done: done.clone(), threads };
            thread::Builder::new()
                .name("translate".into())
                .spawn(move || worker.run())
                .map_err(TranslateError::Thread)?;
        }
        Ok(Self { work, results })
    }
}

struct Worker {
    core: Arc<Core>,
    queue: Arc<Mutex<Receiver<Batch>>>,
    done: Sender<BatchResult>,
    /// Threads for a batch that is alone.
    threads: usize,
}

impl Worker {
    /// Decodes batches until there are no more.
    fn run(self) {
        // One thread and no other: products of matrices that look for rayon's pool find this one.
        let own = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        loop {
            let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(batch) = next else { return };
            let result = match (batch.alone, &own) {
                (false, Ok(own)) => own.install(|| self.decode(batch)),
                (true, _) | (_, Err(_)) => match self.shared_pool() {
                    Some(pool) => pool.install(|| self.decode(batch)),
                    None => self.decode(batch),
                },
            };
            if self.done.send(result).is_err() {
                return;
            }
        }
    }

    fn shared_pool(&self) -> Option<ThreadPool> {
        ThreadPoolBuilder::new().num_threads(self.threads).build().ok()
    }

    fn decode(&self, batch: Batch) -> BatchResult {
        let sources: Vec<&[u32]> = batch.pieces.iter().map(|(_, ids)| ids.as_slice()).collect();
        let decoded = self.core.decode(&sources)?;
        Ok(batch.pieces.into_iter().zip(decoded).map(|((piece, ids), decoded)| (piece, ids, decoded)).collect())
    }
}
