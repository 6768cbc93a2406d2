//! Images of strangers.
