//! Memory for outputs: that of freed arrays, or new.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::any::Any;
use std::collections::VecDeque;
use std::mem::{size_of_val, take};
use std::ops::{Deref, DerefMut, Range};
use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::number::Plain;

/// The size in bytes from which memory is kept: glibc's allocator returns that much to the system when it is freed.
pub(crate) const LARGE: usize = 128 << 10;

/// The size in bytes from which memory is requested in huge pages.
#[cfg(target_os = "linux")]
const HUGE: usize = 4 << 20;

/// What addresses of outputs are multiples of, in bytes. DLPack demands that; vectors that straddle two cache lines take twice as
/// long, and non-temporal stores of parts of a line several times as long.
pub(crate) const ALIGNMENT: usize = 256;

/// The maximum number of bytes kept.
const MOST: usize = 1 << 30;

/// The number of requests after which memory that none of them took makes way for new memory.
const PASSED: usize = 32;

/// Returns the kept memory of freed outputs, at most 1 GiB, to the system.
///
/// It is kept for later outputs of the same lengths: each page of new memory causes a page fault when it is first touched,
/// which takes longer than a kernel needs for it.
pub fn release_memory() {
    let all = kept().map(|mut kept| take(&mut *kept));
    drop(all);
}

/// The memory that is kept, oldest first.
#[derive(Default)]
struct Kept {
    bytes: usize,
    arrays: VecDeque<KeptArray>,
    /// The number of requests so far.
    requests: usize,
}

struct KeptArray {
    bytes: usize,
    /// The number of requests before it was added.
    since: usize,
    array: Box<dyn Any + Send>,
}

/// What is kept; `None` while another thread has it. Nobody waits for that thread: in a child process after a fork it does not
/// exist.
fn kept() -> Option<MutexGuard<'static, Kept>> {
    static KEPT: Mutex<Kept> = Mutex::new(Kept { bytes: 0, arrays: VecDeque::new(), requests: 0 });
    match KEPT.try_lock() {
        Ok(kept) => Some(kept),
        // Poisoning can be ignored: `bytes` is the sum over `arrays`, and nothing panics between changing one and the other.
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Kept {
    /// Adds an array; returns those that are too many, to be freed without the lock.
    fn add<T: Plain>(&mut self, array: Vec<T>) -> Vec<KeptArray> {
        let bytes = size_of_val(array.as_slice());
        self.bytes += bytes;
        self.arrays.push_back(KeptArray { bytes, since: self.requests, array: Box::new(array) });
        self.remove_while(|kept, _| kept.bytes > MOST)
    }

    /// The most recent array of that length, or those that many requests have passed over, to be freed without the lock.
    fn take<T: Plain>(&mut self, len: usize) -> Result<Vec<T>, Vec<KeptArray>> {
        self.requests += 1;
        let fits =
            |kept: &KeptArray| kept.array.downcast_ref::<Vec<T>>().is_some_and(|array| array.len() == len);
        if let Some(kept) = self.arrays.iter().rposition(fits).and_then(|at| self.arrays.remove(at)) {
            self.bytes -= kept.bytes;
            if let Ok(array) = kept.array.downcast() {
                return Ok(*array);
            }
        }
        Err(self.remove_while(|kept, oldest| kept.requests - oldest.since > PASSED))
    }

    fn remove_while(&mut self, is_removed: impl Fn(&Self, &KeptArray) -> bool) -> Vec<KeptArray> {
        let mut removed = Vec::new();
        while let Some(oldest) = self.arrays.front()
            && is_removed(self, oldest)
        {
            self.bytes -= oldest.bytes;
            removed.extend(self.arrays.pop_front());
        }
        removed
    }
}

/// Elements of an array.
#[derive(Clone, Debug)]
pub(crate) struct Elements<T: Plain> {
    /// The elements, and around those of outputs a few more.
    memory: Vec<T>,
    range: Range<usize>,
    /// Whether the memory is kept for later outputs when the array is freed.
    is_output: bool,
}

impl<T: Plain> Elements<T> {
    /// Elements of a caller. Their memory is not kept: nobody may ever ask for that length again.
    pub fn new(elements: Vec<T>) -> Self {
        Self { range: 0..elements.len(), memory: elements, is_output: false }
    }

    /// Elements to be overwritten: zeros, or the contents of a freed output. The first is aligned to [`ALIGNMENT`].
    pub fn output(len: usize) -> Self {
        let memory: Vec<T> = space(len.saturating_add(padding::<T>()));
        let first = memory.as_ptr().align_offset(ALIGNMENT);
        Self { range: first..first + len, memory, is_output: true }
    }

    pub fn into_vec(mut self) -> Vec<T> {
        let mut elements = take(&mut self.memory);
        elements.truncate(self.range.end);
        elements.drain(..self.range.start);
        elements
    }
}

impl<T: Plain> PartialEq for Elements<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Plain> Drop for Elements<T> {
    fn drop(&mut self) {
        let memory = take(&mut self.memory);
        // What is more than may be kept would only displace all that is.
        let fits = (LARGE..=MOST).contains(&size_of_val(memory.as_slice()));
        if self.is_output && fits && memory.len() == memory.capacity() {
            let oldest = kept().map(|mut kept| kept.add(memory));
            drop(oldest);
        }
    }
}

impl<T: Plain> Deref for Elements<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[self.range.clone()]
    }
}

impl<T: Plain> DerefMut for Elements<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.range.clone()]
    }
}

/// Extra elements of an output, so that its first can be aligned.
const fn padding<T>() -> usize {
    ALIGNMENT / size_of::<T>()
}

/// Memory to be overwritten: zeros, or the contents of a freed array.
fn space<T: Plain>(len: usize) -> Vec<T> {
    let is_large = len.saturating_mul(size_of::<T>()) >= LARGE;
    let taken = if is_large { kept().map(|mut kept| kept.take(len)) } else { None };
    match taken {
        Some(Ok(array)) => array,
        old => {
            drop(old);
            zeros(len)
        }
    }
}

/// Zeros; if there are many, usually in memory that has not been touched yet.
fn zeros<T: Plain>(len: usize) -> Vec<T> {
    let Ok(layout) = Layout::array::<T>(len) else { capacity_overflow(len) };
    if layout.size() == 0 {
        return Vec::new();
    }
    // SAFETY: the layout is not empty.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        handle_alloc_error(layout);
    }
    advise(start, layout.size());
    // SAFETY: allocated by the global allocator with the layout of so many elements, all of whose bytes are 0, which
    // is a value of every plain number.
    unsafe { Vec::from_raw_parts(start.cast(), len, len) }
}

fn capacity_overflow(len: usize) -> ! {
    panic!("{len} elements are more than the machine can address")
}

/// Requests huge pages, which cause fewer page faults. Has no effect where there are none.
#[cfg(target_os = "linux")]
fn advise(start: *mut u8, bytes: usize) {
    /// Only whole pages can be requested.
    const PAGE: usize = 4096;
    if bytes >= HUGE {
        let before = start.align_offset(PAGE);
        let length = (bytes - before) / PAGE * PAGE;
        // SAFETY: inside the allocation, of which nothing but the size of its pages changes.
        unsafe { libc::madvise(start.add(before).cast(), length, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_of_every_size() {
        for len in [0, 1, 1000, (1 << 20) + 3, (3 << 20) + 1] {
            let mut zeros = zeros::<f32>(len);
            assert_eq!((zeros.len(), zeros.capacity()), (len, len));
            assert!(zeros.iter().all(|value| *value == 0.0));
            zeros.push(1.0);
            assert_eq!(zeros.last(), Some(&1.0));
        }
    }

    #[test]
    fn outputs_are_aligned() {
        for len in [0, 1, 63, 64, 1000] {
            let mut output = Elements::<f32>::output(len);
            assert!(output.as_ptr().addr().is_multiple_of(ALIGNMENT), "{len}");
            output.fill(1.0);
            assert_eq!(output.into_vec(), vec![1.0; len]);
        }
    }

    fn alone() -> MutexGuard<'static, Kept> {
        kept().expect("no other test of this process has large outputs")
    }

    /// One test, since kept memory is shared by the process.
    #[test]
    fn large_memory_is_kept() {
        let len = LARGE / 4 + 77;
        let first = Elements::<f32>::output(len);
        let address = first.as_ptr();
        drop(first);
        // Of another type or length it is not taken.
        let others = (Elements::<u32>::output(len), Elements::<f32>::output(len + 1));
        assert!(others.0.as_ptr().cast() != address && others.1.as_ptr() != address);
        let again = Elements::<f32>::output(len);
        assert_eq!(again.as_ptr(), address);
        assert_eq!(again.clone().into_vec().len(), len);
        drop(again);
        release_memory();
        assert!(alone().arrays.is_empty());
        // That of callers is not kept.
        drop(Elements::new(zeros::<f32>(len)));
        assert!(alone().arrays.is_empty());

        // No more than so much; the oldest goes.
        let (eighth, padding) = (MOST / 8 / size_of::<u32>(), padding::<u32>());
        let arrays: Vec<_> = (0..9).map(|i| Elements::<u32>::output(eighth - padding - i)).collect();
        drop(arrays);
        assert_eq!(alone().arrays.len(), 8);
        assert!(alone().bytes <= MOST);
        assert!(alone().take::<u32>(eighth).is_err());
        assert!(alone().take::<u32>(eighth - 8).is_ok());
        let before = alone().arrays.len();
        drop(Elements::<u32>::output(MOST / size_of::<u32>()));
        assert_eq!(alone().arrays.len(), before);

        // What is taken again stays, what is not goes.
        let once = Elements::<f32>::output(len);
        drop(once);
        for i in 1..=PASSED + 1 {
            drop(Elements::<u32>::output(len));
            drop(Elements::<u32>::output(len + i));
        }
        assert!(alone().take::<f32>(len + padding).is_err());
        assert!(alone().take::<u32>(len + padding).is_ok());
        release_memory();
    }
}
