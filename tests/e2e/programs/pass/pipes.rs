// SPDX-License-Identifier: MIT OR Apache-2.0
// A reader which goes away, a script in between, an exec.
// run: rustc --print target-list 2>/dev/null | head -n 1
// run: printf '#!/bin/sh\nexec rustc "$@"\n' >wrapper; chmod +x wrapper; ./wrapper --crate-type lib pipes.rs
// run: (exec rustc --crate-type lib --crate-name inner pipes.rs)
// run: rustc --crate-type lib --emit metadata -o - pipes.rs | cksum
pub fn f() {}
