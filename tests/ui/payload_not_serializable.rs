use routilux::prelude::*;

struct Photo(Vec<u8>);

#[routine]
struct Camera;

#[routine]
impl Camera {
    #[event]
    fn taken(photo: Photo);

    #[slot]
    fn shoot(&self, out: &mut Emit<Self>) {
        out.taken(Photo(vec![0]));
    }
}

#[routine]
struct Album;

#[routine]
impl Album {
    #[slot]
    fn keep(&self, photo: Photo) {
        drop(photo.0);
    }
}

flow! {
    flow Pictures() {
        camera: Camera;
        album: Album;
        in shoot -> camera.shoot;
        camera.taken -> album.keep;
    }
}

fn main() {}
//~ RTX0155
