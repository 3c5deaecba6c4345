//! kerai's machine and the values it runs on: pure, metered, the same bytes on every platform.

#[cfg(all(target_arch = "x86", not(target_feature = "sse2")))]
compile_error!("kerai does not build for x86 without SSE2: x87 arithmetic rounds twice, so results would differ");

pub mod address;
pub mod bytecode;
pub mod encoding;
pub mod execute;
pub mod fold;
mod glob;
pub mod law;
pub mod limit;
mod meter;
pub mod number;
pub mod refusal;
pub mod trap;
pub mod ulid;
pub mod value;
