//! The CPU's kernels as functions on slices: `&[f32]` in, `&mut [f32]` out, row-major, no tensors.
//!
//! Plain loops over lanes are compiled for the widest vectors that the machine has (`simd`), and
//! run on the threads of the current rayon pool where there is enough work (`threads`); in a
//! browser on one. Slice lengths are asserted at entry. A result depends on the inputs and, where
//! a sum is split, on the number of threads, on nothing else.

mod adamw;
mod attention;
mod attention_backward;
mod dropout;
mod first_attention;
mod gelu;
mod layer_norm;
mod layer_norm_backward;
mod linear;
mod matmul;
mod simd;
mod small_matmul;
mod softmax;
mod sparse;
#[cfg(test)]
mod testing;
mod threads;

pub use adamw::{adamw, sum_of_squares};
pub use attention::attention;
pub use attention_backward::attention_backward;
pub use dropout::dropout;
pub use first_attention::{first_attention, first_attention_backward};
pub use gelu::{gelu, gelu_backward, gelu_in_place};
pub use layer_norm::add_layer_norm;
pub use layer_norm_backward::add_layer_norm_backward;
pub use linear::{linear, linear_backward};
pub use matmul::Matrix;
pub use sparse::{adamw_rows, merge_rows};
