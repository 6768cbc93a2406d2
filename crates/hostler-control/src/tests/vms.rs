//! A VM's life, with a node that obeys, on both databases.

mod changes;
mod consoles;
mod images;
mod input;
mod life;
mod races;
mod unclaimed;
