use routilux::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Photo;

#[routine]
struct Album;

#[routine]
impl Album {
    #[event]
    fn kept(photo: Photo);

    #[slot]
    fn keep(&self, photo: Photo, out: &mut Emit<Self>) {
        out.kept(photo);
    }
}

flow! {
    flow Albums() {
        first: Album;
        second: Album;
        third: Album;
        in photo -> first.keep;
        first.kept -> second.keep, third.keep, out photos;
        second.kept -> out photos;
        third.kept -> out photos;
    }
}

fn main() {}
//~ RTX0156
