use routilux::prelude::*;

struct Photo;

#[routine]
struct Camera;

#[routine]
impl Camera {
    #[event]
    fn taken(photo: Photo);

    #[slot]
    fn shoot(&self, out: &mut Emit<Self>) {
        out.taken(Photo);
    }
}

flow! {
    flow Pictures() {
        camera: Camera;
        in shoot -> camera.shoot;
        camera.taken -> out photos;
    }
}

flow! {
    flow Picture() {
        camera: Camera;
        in shoot -> camera.shoot;
        camera.taken -> return;
    }
}

fn main() {}
//~ RTX0155 RTX0155
