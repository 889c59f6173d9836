//! The run folder: what is written into it, and how a run goes on from there.

pub(crate) mod checkpoint;
pub(crate) mod folder;
pub(crate) mod markdown;
pub(crate) mod model_card;
mod model_index;
pub(crate) mod predictions;
pub(crate) mod record;
pub(crate) mod results;
pub(crate) mod resume;
mod tensorboard;
pub(crate) mod watch;
