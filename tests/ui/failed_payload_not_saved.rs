use routilux::prelude::*;

struct Order(u64);

#[routine]
struct Shop;

#[routine]
impl Shop {
    #[slot]
    fn order(&self, order: &Order) -> Result {
        if order.0 > 3 { Err("too many".into()) } else { Ok(()) }
    }
}

flow! {
    flow Orders() {
        shop: Shop;
        in order -> shop.order;
        shop.error -> out failed;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Orders::new().job();
    job.inputs().order(Order(3))?;
    job.run()?;
    for failure in job.outputs().failed() {
        println!("{} {}", failure.payload.0, failure.error);
    }
    Ok(())
}
//~ RTX0155
