//! This machine: its devices, its memory, and what its drivers lack.

pub(crate) mod cuda;
pub(crate) mod device;
pub mod memory;
pub(crate) mod system;
