use routilux::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Photo;

#[routine]
pub struct Album;

#[routine]
impl Album {
    #[slot]
    fn keep(&self, _photo: Photo) {}
}

fn main() {}
//~ E0446
