//! The job as data: which slot a delivery goes to, and every part of the job by name.

use super::{Flow, SlotAt};
use crate::routine::plain;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

impl Flow<'_> {
    pub(super) fn saved(&self) -> TokenStream {
        let parts =
            [self.saved_deliveries(), self.saved_routines(), self.saved_contents(), self.saved_outputs()];
        parts.into_iter().collect()
    }

    fn saved_deliveries(&self) -> TokenStream {
        let p = self.p;
        let delivery_type = self.generated("__Delivery");
        let mut slots = TokenStream::new();
        let mut saved = TokenStream::new();
        let mut loaded = TokenStream::new();
        for (number, slot) in self.reached() {
            let variant = format_ident!("S{number}");
            let (alias, port) = (self.routine_type(slot.routine), slot.number);
            match slot.has_connection() {
                false => {
                    slots.extend(quote! { __Delivery::#variant(_) => #number, });
                    saved.extend(
                        quote! { __Delivery::#variant(parcel) => #p::save_parcel::<#alias, #port>(parcel), },
                    );
                    loaded.extend(
                        quote! { #number => #p::load_parcel::<#alias, #port>(value).map(__Delivery::#variant), },
                    );
                }
                true => {
                    slots.extend(quote! { __Delivery::#variant(..) => #number, });
                    saved.extend(quote! {
                        __Delivery::#variant(parcel, connection) => {
                            #p::save_over(*connection, #p::save_parcel::<#alias, #port>(parcel)?)
                        }
                    });
                    loaded.extend(quote! {
                        #number => {
                            let (connection, value) = #p::load_over(value)?;
                            let parcel = #p::load_parcel::<#alias, #port>(value)?;
                            ::core::result::Result::Ok(__Delivery::#variant(parcel, connection))
                        }
                    });
                }
            }
        }
        for inner in 0..self.inner.len() {
            let (variant, flow, offset) =
                (format_ident!("I{inner}"), self.inner_type(inner), self.offset(inner));
            slots.extend(quote! {
                __Delivery::#variant(delivery) => #offset + <#flow as #p::Flow>::slot_of(delivery),
            });
            saved.extend(quote! {
                __Delivery::#variant(delivery) => <#flow as #p::Flow>::save_delivery(delivery),
            });
        }
        loaded.extend(self.inner_slot_arms(|inner, flow, slot| {
            let variant = format_ident!("I{inner}");
            quote! { <#flow as #p::Flow>::load_delivery(#slot, value).map(__Delivery::#variant) }
        }));
        let unused = self.unused_ref_arm();
        quote! {
            fn slot_of(delivery: &#delivery_type) -> usize {
                match delivery { #slots #unused }
            }

            fn save_delivery(delivery: &#delivery_type) -> ::core::result::Result<#p::Value, #p::ValueError> {
                match delivery { #saved #unused }
            }

            fn load_delivery(
                slot: usize, value: #p::Value,
            ) -> ::core::result::Result<#delivery_type, #p::ValueError> {
                match slot {
                    #loaded
                    _ => ::core::result::Result::Err(#p::not_connected()),
                }
            }
        }
    }

    fn saved_routines(&self) -> TokenStream {
        let p = self.p;
        let cells_type = self.generated("__Cells");
        let own = (0..self.nodes.len()).filter(|number| self.as_inner(*number).is_none());
        let own: Vec<Ident> = own.map(|number| self.cell(number)).collect();
        let of_flows = |function: &str, by: TokenStream| -> TokenStream {
            let function = format_ident!("{function}");
            let each = (0..self.inner.len()).map(|inner| {
                let (field, flow) = (format_ident!("i{inner}"), self.inner_type(inner));
                quote! { routines.extend(<#flow as #p::Flow>::#function(#by cells.#field)); }
            });
            each.collect()
        };
        if self.inner.is_empty() {
            return quote! {
                fn routines(cells: &#cells_type) -> ::std::vec::Vec<&dyn #p::Saved> {
                    ::std::vec![#(&cells.#own as &dyn #p::Saved),*]
                }

                fn routines_mut(cells: &mut #cells_type) -> ::std::vec::Vec<&mut dyn #p::Saved> {
                    ::std::vec![#(&mut cells.#own as &mut dyn #p::Saved),*]
                }
            };
        }
        let (shared, mutable) =
            (of_flows("routines", quote! { & }), of_flows("routines_mut", quote! { &mut }));
        quote! {
            fn routines(cells: &#cells_type) -> ::std::vec::Vec<&dyn #p::Saved> {
                let mut routines: ::std::vec::Vec<&dyn #p::Saved> = ::std::vec![#(&cells.#own as &dyn #p::Saved),*];
                #shared
                routines
            }

            fn routines_mut(cells: &mut #cells_type) -> ::std::vec::Vec<&mut dyn #p::Saved> {
                let mut routines: ::std::vec::Vec<&mut dyn #p::Saved> =
                    ::std::vec![#(&mut cells.#own as &mut dyn #p::Saved),*];
                #mutable
                routines
            }
        }
    }

    fn saved_contents(&self) -> TokenStream {
        let p = self.p;
        let cells_type = self.generated("__Cells");
        let keeping: Vec<(usize, &SlotAt<'_>)> = self.keeping().collect();
        let numbers: Vec<usize> = keeping.iter().map(|(number, _)| *number).collect();
        let fields: Vec<Ident> = numbers.iter().map(|number| format_ident!("s{number}")).collect();
        let aliases: Vec<TokenStream> =
            keeping.iter().map(|(_, slot)| self.routine_type(slot.routine)).collect();
        let ports: Vec<usize> = keeping.iter().map(|(_, slot)| slot.number).collect();
        let of_flows = |body: fn(&TokenStream, &TokenStream, &Ident, &TokenStream) -> TokenStream| {
            let arms = self.inner_slot_arms(move |inner, flow, slot| {
                body(self.p, flow, &format_ident!("i{inner}"), slot)
            });
            arms.collect::<TokenStream>()
        };
        let save = of_flows(|p, flow, field, slot| {
            quote! { <#flow as #p::Flow>::save_contents(&cells.#field, #slot) }
        });
        let load = of_flows(|p, flow, field, slot| {
            quote! { <#flow as #p::Flow>::load_contents(&mut cells.#field, #slot, value) }
        });
        let held = of_flows(|p, flow, field, slot| {
            quote! { <#flow as #p::Flow>::held(&cells.#field, #slot) }
        });
        let held = (!(keeping.is_empty() && self.inner.is_empty())).then(|| {
            quote! {
                fn held(cells: &#cells_type, slot: usize) -> ::std::vec::Vec<#p::Held> {
                    match slot {
                        #(#numbers => cells.#fields.with(|kept| #p::held::<#aliases, #ports>(kept)),)*
                        #held
                        _ => ::std::vec::Vec::new(),
                    }
                }
            }
        });
        quote! {
            fn save_contents(
                cells: &#cells_type, slot: usize,
            ) -> ::core::result::Result<#p::Value, #p::ValueError> {
                match slot {
                    #(#numbers => cells.#fields.with(|kept| #p::save_contents::<#aliases, #ports>(kept)),)*
                    #save
                    _ => ::core::result::Result::Err(#p::not_connected()),
                }
            }

            fn load_contents(
                cells: &mut #cells_type, slot: usize, value: #p::Value,
            ) -> ::core::result::Result<(), #p::ValueError> {
                match slot {
                    #(#numbers => #p::load_contents::<#aliases, #ports>(cells.#fields.get_mut(), value),)*
                    #load
                    _ => ::core::result::Result::Err(#p::not_connected()),
                }
            }

            #held
        }
    }

    fn saved_outputs(&self) -> TokenStream {
        let p = self.p;
        let outbound_type = self.generated("__Outbound");
        let outputs: Vec<String> =
            self.outputs.iter().map(|output| plain(&self.model.outputs[*output].name)).collect();
        let outlets: Vec<Ident> = (0..outputs.len()).map(|number| format_ident!("o{number}")).collect();
        let has_result = self.result_type().map(|_| quote! { || !outbound.result.is_empty() });
        let merge_result = self.result_type().map(|_| quote! { into.result.append(&mut from.result); });
        quote! {
            fn has_output(outbound: &#outbound_type) -> bool {
                false #(|| !outbound.#outlets.is_empty())* #has_result
            }

            fn merge_outbound(into: &mut #outbound_type, from: &mut #outbound_type) {
                #(into.#outlets.append(&mut from.#outlets);)*
                #merge_result
            }

            fn outbound(outbound: &#outbound_type) -> ::std::vec::Vec<(&'static str, &dyn #p::Saved)> {
                ::std::vec![#((#outputs, &outbound.#outlets as &dyn #p::Saved)),*]
            }

            fn outbound_mut(outbound: &mut #outbound_type) -> ::std::vec::Vec<(&'static str, &mut dyn #p::Saved)> {
                ::std::vec![#((#outputs, &mut outbound.#outlets as &mut dyn #p::Saved)),*]
            }
        }
    }
}
