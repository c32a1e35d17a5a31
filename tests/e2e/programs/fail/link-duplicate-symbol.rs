// SPDX-License-Identifier: MIT OR Apache-2.0
#[no_mangle]
pub extern "C" fn same() {}

mod m {
    #[export_name = "same"]
    pub extern "C" fn other() {}
}

fn main() {
    same();
    m::other();
}
