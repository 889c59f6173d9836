//! How work is cut into parts, and who runs them.

/// Work below this many element operations is done by the caller alone: waking another thread
/// takes 10–20 µs, in which one thread does about this much.
const SERIAL: usize = 32_768;

/// Parts for each thread, so that a thread that is held up leaves little for the others to wait on.
const PARTS_PER_THREAD: usize = 4;

/// Threads that the work may be cut for: those of the current rayon pool, one in a browser.
pub(super) fn count() -> usize {
    #[cfg(not(target_arch = "wasm32"))]
    return rayon::current_num_threads();
    #[cfg(target_arch = "wasm32")]
    return 1;
}

/// Items in one part when `items` of about `cost` element operations each are cut: all of them
/// where the work is small or there is one thread, else a multiple of 16.
pub(super) fn part_len(items: usize, cost: usize) -> usize {
    let threads = count();
    if threads == 1 || items.saturating_mul(cost) < SERIAL {
        return items.max(1);
    }
    let least = (SERIAL / 4).div_ceil(cost.max(1));
    items.div_ceil(threads * PARTS_PER_THREAD).max(least).next_multiple_of(16)
}

/// Runs `run` on each part, in any order, on the current pool's threads.
pub(super) fn for_each<T: Send>(parts: Vec<T>, run: impl Fn(T) + Sync + Send) {
    #[cfg(not(target_arch = "wasm32"))]
    if parts.len() > 1 && count() > 1 {
        use rayon::prelude::*;
        return parts.into_par_iter().with_max_len(1).for_each(run);
    }
    parts.into_iter().for_each(run);
}

/// A slice whose pieces several threads write, no two of them the same piece: columns of a
/// row-major matrix, for which safe slices have no word.
pub(super) struct Shared<'a> {
    start: *mut f32,
    len: usize,
    slice: std::marker::PhantomData<&'a mut [f32]>,
}

// SAFETY: it stands for a `&mut [f32]`, which may be sent; that no piece is handed out twice at a
// time is the promise of whoever calls `piece`.
#[allow(unsafe_code)]
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(super) fn new(values: &'a mut [f32]) -> Self {
        let len = values.len();
        Self { start: values.as_mut_ptr(), len, slice: std::marker::PhantomData }
    }

    /// The values `start..start + len`.
    ///
    /// # Safety
    /// No other piece that is alive may overlap this one.
    #[allow(unsafe_code, clippy::mut_from_ref)]
    pub(super) unsafe fn piece(&self, start: usize, len: usize) -> &mut [f32] {
        assert!(start + len <= self.len, "piece {start}+{len} of {}", self.len);
        // SAFETY: inside the slice that `new` took, and by the caller's promise not aliased.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }

    /// Where the value `start` stands, for code that takes pointers and strides.
    ///
    /// # Safety
    /// What is written through it must be inside the slice, and no other piece that is alive.
    #[allow(unsafe_code)]
    pub(super) unsafe fn pointer(&self, start: usize) -> *mut f32 {
        assert!(start < self.len, "value {start} of {}", self.len);
        // SAFETY: inside the slice that `new` took.
        unsafe { self.start.add(start) }
    }
}
