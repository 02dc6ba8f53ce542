//! What the tests of the history share.

pub(super) mod fixture;
