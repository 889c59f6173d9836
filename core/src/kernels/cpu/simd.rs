//! Plain loops, compiled once for each instruction set and chosen at run time.

/// Lanes of the fixed-size chunks that reductions run over: one AVX-512 register, two AVX2, four
/// NEON or WebAssembly.
pub(super) const LANES: usize = 16;

/// Calls `function::<FUSED>(…)`, compiled for the widest vectors of this machine. `FUSED` says
/// whether the machine has a multiply-add of one rounding; without one, [`fma`] would be a call
/// into the C library for every element. `function` and what it calls must be
/// `#[inline(always)]` and call no closure that may stay a function of its own, or they are
/// compiled for the baseline instruction set, many times slower.
macro_rules! vectorized {
    ($function:ident($($argument:expr),* $(,)?)) => {
        match pulp::Arch::new() {
            pulp::Arch::Scalar => $function::<false>($($argument),*),
            #[allow(unreachable_patterns)]
            arch => {
                let once = super::simd::Once;
                arch.dispatch(
                    #[inline(always)]
                    move || {
                        let _once = once;
                        $function::<{ super::simd::HAS_FMA }>($($argument),*)
                    },
                )
            }
        }
    };
}
pub(super) use vectorized;

/// Moved out of by a closure, makes it one that runs once, whose call is its body: that of other
/// closures goes through a shim, which is not always inlined.
pub(super) struct Once;

/// Whether the vector instruction sets of this architecture all have a fused multiply-add.
pub(super) const HAS_FMA: bool = !cfg!(target_arch = "wasm32");

/// a·b + c, with one rounding where `FUSED`.
#[inline(always)]
pub(super) fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// eˣ for x ≤ 88, relative error under 2e-7; 0 below -87, where f32 leaves its normal range; NaN
/// stays NaN. Cody and Waite's reduction x = n·ln 2 + r, then a minimax polynomial in r.
#[inline(always)]
pub(super) fn exp<const FUSED: bool>(x: f32) -> f32 {
    /// 1.5·2²³: added to a small number, it leaves the nearest integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Written so that each is one instruction: the compiler's own `max` treats NaN otherwise.
    let clamped = if x < -87.0 { -87.0 } else { x };
    let shifted = fma::<FUSED>(clamped, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = fma::<FUSED>(n, -LN2_LOW, fma::<FUSED>(n, -LN2_HIGH, clamped));
    let mut p = 0.001_381_46_f32;
    for coefficient in [0.008_368_717, 0.041_668_39, 0.166_665_21, 0.499_999_94, 1.0, 1.0] {
        p = fma::<FUSED>(p, r, coefficient);
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    if x < -87.0 { 0.0 } else { p * power }
}

/// Folds lanes pairwise: as a chain one after the other, sixteen take sixteen latencies.
macro_rules! fold_lanes {
    ($lanes:ident, |$a:ident, $b:ident| $fold:expr) => {{
        let mut lanes = $lanes;
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                let ($a, $b) = (lanes[lane], lanes[lane + width]);
                lanes[lane] = $fold;
            }
            width /= 2;
        }
        lanes[0]
    }};
}

/// The sum of all lanes, pairwise.
#[inline(always)]
pub(super) fn sum_lanes(lanes: [f32; LANES]) -> f32 {
    fold_lanes!(lanes, |a, b| a + b)
}

/// The largest of all lanes.
#[inline(always)]
pub(super) fn max_lanes(lanes: [f32; LANES]) -> f32 {
    fold_lanes!(lanes, |a, b| if b > a { b } else { a })
}
