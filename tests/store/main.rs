//! The store, the whole way: signed ops in, state in a database out, whatever comes between.

mod bad;
mod crash;
mod desk;
mod events;
mod grow;
mod relations;
mod roles;
mod server;
mod together;
mod way;
