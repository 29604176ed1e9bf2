//! mlp-exec
