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
    fn keep(&self, photo: Photo, out: &mut Emit<Self>) -> Result {
        out.kept(photo);
        Ok(())
    }
}

fn main() {}
//~ RTX0157
