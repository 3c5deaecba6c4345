//! What the generated programs reach.
