// SPDX-License-Identifier: MIT OR Apache-2.0
// Writing the output fails: no file may grow beyond 64 KiB.
// run: ulimit -c 0; ulimit -f 64; exec rustc -C debuginfo=2 full-disk.rs
// status: 153
fn main() {
    println!("{:?}", (0..9).map(|x| x.to_string()).collect::<Vec<_>>());
}
