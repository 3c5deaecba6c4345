//! The store, the whole way: signed ops in, state in a database out, whatever comes between.

mod bad;
mod batches;
mod certified;
mod crash;
mod desk;
mod differences;
mod events;
mod faults;
mod grow;
mod hostile;
mod large;
mod proofs;
mod prune;
mod relations;
mod roles;
mod together;
mod way;
