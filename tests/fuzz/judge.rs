//! What an input may do to the reader, and what it did.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use muster::petri::PetriNet;
use muster::petri::pnml::{self, Limits};

use crate::allocator::most_during;

/// Memory beyond which an input is broken: for what it holds, and for small inputs a little more.
const MEMORY_TIMES: usize = 20;
const MEMORY_BASE: usize = 64 << 10;
/// A hang is not waited for.
const HANG: Duration = Duration::from_secs(30);

/// Generous for a busy machine and unoptimised code, and linear: what is quadratic goes over it.
pub fn time_limit(bytes: usize) -> Duration {
    let (base, per_byte) = if cfg!(debug_assertions) { (400, 4_000) } else { (100, 400) };
    Duration::from_millis(base) + Duration::from_nanos(per_byte * bytes as u64)
}

fn memory_limit(bytes: usize) -> usize {
    MEMORY_BASE + MEMORY_TIMES * bytes
}

/// How an input was met, roughly: inputs that differ in this are worth keeping both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    Refused { kind: String, line: u32 },
    Read { places: u32, transitions: u32, arcs: u32 },
}

/// The input being read, if one is, and when that began.
type Current = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

/// Which rule was broken.
enum Broken {
    Slow(Duration),
    Other(String),
}

pub struct Judge {
    folder: PathBuf,
    /// For the thread that looks for hangs.
    current: Current,
    slowest: Cell<Duration>,
    most_memory: Cell<f64>,
}

impl Judge {
    pub fn new(folder: PathBuf) -> Self {
        let current = Current::default();
        let (seen, into) = (Arc::downgrade(&current), folder.clone());
        // Nothing can end a thread that hangs, so the whole run ends.
        std::thread::spawn(move || {
            while let Some(current) = seen.upgrade() {
                let hangs = current
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take_if(|(since, _)| since.elapsed() > HANG);
                drop(current);
                if let Some((_, input)) = hangs {
                    eprintln!("an input hangs; it is kept as {}", write(&into, &input).display());
                    std::process::abort();
                }
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        Self { folder, current, slowest: Cell::default(), most_memory: Cell::default() }
    }

    pub fn slowest(&self) -> Duration {
        self.slowest.get()
    }

    /// In times of the input, of inputs large enough for that to mean something.
    pub fn most_memory(&self) -> f64 {
        self.most_memory.get()
    }

    /// Keeps an input for all later runs.
    pub fn keep(&self, input: &[u8]) -> PathBuf {
        write(&self.folder, input)
    }

    /// Reads an input. `Err` says which rule was broken.
    pub fn check(&self, input: &[u8]) -> Result<Behaviour, String> {
        match self.watch(input, || pnml::read(input, &Limits::default()))? {
            Err(error) => {
                let kind = serde_json::to_value(&error.kind).map_err(|e| e.to_string())?;
                let text = error.to_string();
                if text.len() > 5_000 {
                    return Err(format!("the error is {} bytes long", text.len()));
                }
                let code = kind["code"].as_str().unwrap_or_default().to_string();
                // Of what the parser says, its first words, without the offsets among them.
                let reason = kind["reason"].as_str().unwrap_or_default().chars();
                let reason: String = reason.filter(|char| !char.is_ascii_digit()).take(28).collect();
                Ok(Behaviour::Refused { kind: code + &reason, line: error.line.ilog2() })
            }
            Ok(net) => {
                self.watch_writing(input, &net)?;
                let log = |n: usize| (n + 1).ilog2();
                let (places, transitions) = (log(net.places.len()), log(net.transitions.len()));
                Ok(Behaviour::Read { places, transitions, arcs: log(net.arc_count()) })
            }
        }
    }

    fn watch_writing(&self, input: &[u8], net: &PetriNet) -> Result<(), String> {
        let unlimited = Limits { bytes: usize::MAX, ..Limits::default() };
        let text = self.watch(input, || pnml::write(net))?;
        match pnml::read(text.as_bytes(), &unlimited) {
            Ok(back) if back == *net => Ok(()),
            Ok(_) => Err("what was written reads as another net".into()),
            Err(error) => Err(format!("what was written is refused: {error}")),
        }
    }

    /// Does some work upon an input within the limits.
    pub fn watch<T>(&self, input: &[u8], work: impl Fn() -> T) -> Result<T, String> {
        let done = self.watch_once(input, &work);
        // A busy machine makes anything slow now and then; what is slow by itself is so every time.
        let again = |done: &Result<T, Broken>| matches!(done, Err(Broken::Slow(_)));
        let done = if again(&done) { self.watch_once(input, &work) } else { done };
        let done = if again(&done) { self.watch_once(input, &work) } else { done };
        done.map_err(|broken| match broken {
            Broken::Slow(took) => format!("it took {took:?} for {} bytes, three times over", input.len()),
            Broken::Other(what) => what,
        })
    }

    fn watch_once<T>(&self, input: &[u8], work: impl Fn() -> T) -> Result<T, Broken> {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), input.to_vec()));
        let started = Instant::now();
        let (done, memory) = most_during(|| catch_unwind(AssertUnwindSafe(work)));
        let took = started.elapsed();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if input.len() > 10_000 {
            self.most_memory.set(self.most_memory.get().max(memory as f64 / input.len() as f64));
        }
        let value = done.map_err(|_| Broken::Other("a panic".to_string()))?;
        if memory > memory_limit(input.len()) {
            return Err(Broken::Other(format!("{memory} bytes of memory for an input of {}", input.len())));
        }
        if took > time_limit(input.len()) {
            return Err(Broken::Slow(took));
        }
        self.slowest.set(self.slowest.get().max(took));
        Ok(value)
    }
}

fn write(folder: &Path, input: &[u8]) -> PathBuf {
    let name = input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let path = folder.join(format!("found-{name:016x}.pnml"));
    if let Err(error) = std::fs::write(&path, input) {
        eprintln!("{} cannot be written: {error}", path.display());
    }
    path
}
