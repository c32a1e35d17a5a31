// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc --crate-type lib -O --emit=metadata,llvm-ir,llvm-bc,asm,mir,obj,dep-info,link emit-all.rs
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub fn words(s: &str) -> Vec<&str> {
    let mut v: Vec<_> = s.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    v.sort_unstable();
    v.dedup();
    v
}
