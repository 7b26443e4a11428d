//! What is done with a delivery that failed: what the rows say, and the wires that it may go along.

use super::super::policy::{End as RowEnd, Policy, Retry};
use super::ends::{Begin, Way};
use super::{Flow, Wire, local};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use routilux_graph::{Role, Subject};

impl Flow<'_> {
    /// The slots whose failed deliveries a policy sends on. Of those that nothing can fail in there is nothing to send.
    pub(super) fn diverted_by(&self, policy: usize) -> Vec<usize> {
        let panic = self.model.policies[policy].panic;
        let slots = self.reached().filter(|(number, slot)| {
            let may = if panic { slot.port.whole } else { slot.port.fallible };
            may && self.concerns(policy, *number)
        });
        slots.map(|(number, _)| number).collect()
    }

    /// The rows about a slot, in the order they are tried: those that name it or its routine, then the others.
    fn rows(&self, slot: usize, panic: bool) -> Vec<usize> {
        // After a panic that may have left the state torn no row can go on.
        if panic && !self.slots[slot].port.whole {
            return Vec::new();
        }
        let rows = self.specific_first(panic).into_iter();
        rows.filter(|policy| self.concerns(*policy, slot)).collect()
    }

    fn specific_first(&self, panic: bool) -> Vec<usize> {
        let rows = (0..self.model.policies.len()).filter(|row| self.model.policies[*row].panic == panic);
        let (specific, others): (Vec<usize>, Vec<usize>) =
            rows.partition(|row| self.model.graph.policies[*row].of.is_some());
        specific.into_iter().chain(others).collect()
    }

    fn is_about_inner(&self, policy: usize, inner: usize) -> bool {
        match &self.model.graph.policies[policy].of {
            None => true,
            Some(Subject::Routine(id)) => *id == self.model.graph.routines[self.inner[inner]].id,
            Some(Subject::Slot(_)) => false,
        }
    }

    pub(super) fn rows_about_inner(&self, inner: usize) -> impl Iterator<Item = &Policy> {
        let rows = self.model.policies.iter().enumerate();
        rows.filter(move |(row, _)| self.is_about_inner(*row, inner)).map(|(_, policy)| policy)
    }

    /// How many wires there are, those of the flows in it among them.
    pub(super) fn wire_count(&self) -> TokenStream {
        self.wire_offset(self.inner.len())
    }

    /// Where the wires of the flow of that number begin.
    fn wire_offset(&self, inner: usize) -> TokenStream {
        let p = self.p;
        let own = self.wires.len() as u16;
        let before = (0..inner).map(|before| self.inner_type(before));
        quote! { (#own #(+ <#before as #p::Flow>::WIRE_COUNT)*) }
    }

    fn wire_of_slot(&self, slot: usize) -> Option<u16> {
        let found = self.wires.iter().position(|wire| matches!(wire, Wire::Slot(it) if *it == slot));
        found.map(|wire| wire as u16)
    }

    fn wire_of_policy(&self, policy: usize) -> Option<u16> {
        let found = self.wires.iter().position(|wire| matches!(wire, Wire::Policy(it) if *it == policy));
        found.map(|wire| wire as u16)
    }

    /// The functions that send a failure along a wire: one for each slot that it may be of.
    pub(super) fn wire_functions(&self) -> TokenStream {
        let functions = self.wires.iter().enumerate().flat_map(|(number, wire)| {
            let of: Vec<usize> = match wire {
                Wire::Slot(slot) => vec![*slot],
                Wire::Policy(policy) => self.diverted_by(*policy),
            };
            of.into_iter().map(move |slot| self.wire_function(number, *wire, slot))
        });
        functions.collect()
    }

    fn wire_function(&self, number: usize, wire: Wire, slot: usize) -> TokenStream {
        let p = self.p;
        let function = format_ident!("__wire{number}_{slot}");
        let (value, ways, post) = (local("__value"), self.ways_here(), local("__post"));
        let (sent, flow, ways_type) = (self.sent(Begin::Error(slot)), self.own_type(), self.ways_reference());
        let (decl, clause) = (&self.generics.decl, &self.generics.clause);
        let sends = match wire {
            Wire::Slot(_) => {
                let connections = self.connections_from(Begin::Error(slot));
                let place = self.place_of(connections[0]);
                self.sends(&connections, Begin::Error(slot), &value, &post, place)
            }
            Wire::Policy(policy) => self.policy_sends(policy, slot, &value, &post),
        };
        quote! {
            fn #function #decl(
                #value: #sent, #ways: #ways_type, #post: &mut #p::Post<#flow>,
            ) -> ::core::result::Result<(), #p::Fault> #clause {
                #sends
                ::core::result::Result::Ok(())
            }
        }
    }

    /// The statements that send a failure to the targets of a policy.
    fn policy_sends(&self, policy: usize, slot: usize, value: &Ident, post: &Ident) -> TokenStream {
        let sent = self.sent(Begin::Error(slot));
        let Some(RowEnd::To(targets)) = &self.model.policies[policy].end else { return TokenStream::new() };
        let at = &self.slots[slot];
        let event = format!("{}.{}.error", self.model.graph.routines[at.routine].id, at.port.name);
        let last = targets.len().saturating_sub(1);
        let mut made = TokenStream::new();
        let mut sent_on = TokenStream::new();
        for (n, target) in targets.iter().enumerate() {
            let to = &self.model.graph.policies[policy].to[n];
            let token = target.tokens.clone().into_iter().last();
            let place = token.map_or(proc_macro2::Span::call_site(), |token| token.span());
            let given = match n == last {
                true => value.to_token_stream(),
                false => {
                    let (aliased, copy) = self.copy_of(&sent, place);
                    quote! { { #aliased #copy(&#value) } }
                }
            };
            let from = (format!("`{event}` sends"), self.sent_text(Begin::Error(slot)));
            let note = "a failure goes as it is".to_owned();
            let fit = self.fit_of(from, to, note, place);
            let taken = self.taken(self.end_at(to));
            let signature = |taken: TokenStream| quote! { fn fits(value: Self) -> #taken };
            let fitted = self.fitting(&fit, given, &sent, &taken, signature);
            let name = local(&format!("__value{n}"));
            made.extend(quote! { let #name = #fitted; });
            sent_on.extend(self.send(Way::Policy(policy, n), name.to_token_stream(), post));
        }
        quote! { #made #sent_on }
    }

    pub(super) fn policy_functions(&self) -> TokenStream {
        let (verdict, divert) = (self.verdict(), self.divert());
        quote! { #verdict #divert }
    }

    fn verdict(&self) -> TokenStream {
        let p = self.p;
        let error = local("__error");
        let own = self.reached().flat_map(|(slot, _)| {
            let kinds = [(false, quote! { Failed }), (true, quote! { Panicked })];
            let error = &error;
            kinds.into_iter().filter_map(move |(panic, kind)| {
                let said = self.said(slot, panic, error);
                (!said.is_empty())
                    .then(|| quote! { (#slot, #p::Fault::#kind(#error)) => { #said #p::Verdict::Leave } })
            })
        });
        let flows = (0..self.inner.len()).map(|inner| {
            let (flow, field) = (self.inner_type(inner), format_ident!("i{inner}"));
            let (offset, end, wires) = (self.offset(inner), self.offset(inner + 1), self.wire_offset(inner));
            let [failed, panicked] = [false, true].map(|panic| {
                let rows =
                    self.specific_first(panic).into_iter().filter(|row| self.is_about_inner(*row, inner));
                rows.map(|row| self.row(row, None, &error)).collect::<TokenStream>()
            });
            quote! {
                (slot, _) if slot >= #offset && slot < #end => {
                    match <#flow as #p::Flow>::verdict(&cells.#field, slot - #offset, fault, attempt) {
                        #p::Verdict::Divert(wire) => #p::Verdict::Divert(wire + #wires),
                        said @ (#p::Verdict::Leave | #p::Verdict::Stop) => {
                            match fault {
                                #p::Fault::Failed(#error) => { #failed }
                                #p::Fault::Panicked(#error) => { #panicked }
                            }
                            said
                        }
                        said => said,
                    }
                }
            }
        });
        let arms: Vec<TokenStream> = own.chain(flows).collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        let cells_type = self.generated("__Cells");
        // Only conditions need them.
        let guarded = self.model.policies.iter().any(|policy| policy.guard.is_some()) && self.has_ways();
        let ways = self.ways_here();
        let ways = guarded.then(|| quote! { let #ways = Self::ways(cells); });
        quote! {
            fn verdict(cells: &#cells_type, slot: usize, fault: &#p::Fault, attempt: u32) -> #p::Verdict {
                #ways
                match (slot, fault) { #(#arms)* _ => #p::Verdict::Leave }
            }
        }
    }

    /// What is said of an attempt at a slot that failed; where no row says anything, nothing is returned.
    fn said(&self, slot: usize, panic: bool, error: &Ident) -> TokenStream {
        let p = self.p;
        let rows = self.rows(slot, panic).into_iter();
        let mut said: TokenStream = rows.map(|row| self.row(row, Some(slot), error)).collect();
        // The wire of a slot is as specific as a row that names it.
        if let (Some(wire), false) = (self.wire_of_slot(slot), panic) {
            said.extend(quote! { return #p::Verdict::Divert(#wire); });
        }
        said
    }

    /// The statements of a row, about a slot or about all that is in a flow: they return what it says, if it says anything.
    fn row(&self, row: usize, slot: Option<usize>, error: &Ident) -> TokenStream {
        let p = self.p;
        let policy = &self.model.policies[row];
        let wire = slot.and_then(|slot| self.wire_of_slot(slot));
        let retry = policy.retry.as_ref().map(|Retry { times, delay, factor, longest, in_order }| {
            let times = times.unwrap_or(u32::MAX);
            quote! {
                let retry = #p::Retry {
                    times: #times, delay: #delay, factor: #factor, longest: #longest, in_order: #in_order,
                };
                if let ::core::option::Option::Some(verdict) = retry.after(attempt) {
                    return verdict;
                }
            }
        });
        let gives_way = self.model.graph.policies[row].of.is_none() && !policy.panic;
        let end = match (&policy.end, wire) {
            // When its attempts are used up; and a row that is about every error gives way to the wire.
            (None, Some(wire)) => quote! { return #p::Verdict::Divert(#wire); },
            (Some(_), Some(wire)) if gives_way => quote! { return #p::Verdict::Divert(#wire); },
            (None, None) => TokenStream::new(),
            (Some(RowEnd::Skip), _) => quote! { return #p::Verdict::Skip; },
            (Some(RowEnd::Stop), _) => quote! { return #p::Verdict::Stop; },
            (Some(RowEnd::To(_)), _) => {
                let wire = slot.filter(|slot| self.diverted_by(row).contains(slot));
                let wire = wire.and_then(|_| self.wire_of_policy(row));
                wire.map(|wire| quote! { return #p::Verdict::Divert(#wire); }).unwrap_or_default()
            }
        };
        let Some(guard) = &policy.guard else { return quote! { { #retry #end } } };
        let what = match &self.model.graph.policies[row].of {
            None => "the condition of a policy".to_owned(),
            Some(of) => format!("the condition of a policy of `{of}`"),
        };
        let ty = match policy.panic {
            false => quote! { &#p::HandlerError },
            true => quote! { &#p::Panic },
        };
        let run = self.run(&what, guard, &error.to_token_stream(), &ty, &self.decides(guard));
        quote! {
            match #run {
                ::core::result::Result::Ok(true) => { #retry #end }
                ::core::result::Result::Ok(false) => {}
                ::core::result::Result::Err(_) => return #p::Verdict::Stop,
            }
        }
    }

    fn divert(&self) -> TokenStream {
        let p = self.p;
        if self.wires.is_empty() && self.inner.is_empty() {
            return TokenStream::new();
        }
        let (cells_type, delivery_type) = (self.generated("__Cells"), self.generated("__Delivery"));
        let parcel = local("parcel");
        let own = self.wires.iter().enumerate().flat_map(|(number, wire)| {
            let of: Vec<usize> = match wire {
                // One that nothing leads to has no deliveries.
                Wire::Slot(slot) => {
                    self.reached().map(|(number, _)| number).filter(|it| it == slot).collect()
                }
                Wire::Policy(policy) => self.diverted_by(*policy),
            };
            let parcel = &parcel;
            of.into_iter().map(move |slot| self.divert_arm(number, slot, parcel))
        });
        let flows = (0..self.inner.len()).map(|inner| {
            let (flow, field, variant) =
                (self.inner_type(inner), format_ident!("i{inner}"), format_ident!("I{inner}"));
            let (lift, wires, end) =
                (format_ident!("__lift{inner}"), self.wire_offset(inner), self.wire_offset(inner + 1));
            let offset = self.offset(inner);
            quote! {
                (wire, __Delivery::#variant(delivery)) if wire >= #wires && wire < #end => {
                    let __ways = Self::ways(cells);
                    let mut scratch = post.outbound.#field.take();
                    let failing = #p::Failing { delivery, error, attempts, id };
                    let diverted = <#flow as #p::Flow>::divert(
                        &cells.#field, failing, wire - #wires, &mut scratch,
                        |scratch: &mut #p::Post<#flow>| {
                            #lift(scratch, &__ways, post)?;
                            lift.lift(post)
                        },
                    );
                    match &diverted {
                        ::core::result::Result::Ok(()) => {
                            #p::lifted(&mut scratch, post, #offset as u32, __Delivery::#variant);
                            post.outbound.#field.put(scratch);
                        }
                        ::core::result::Result::Err(_) => scratch.undo(),
                    }
                    diverted.map_err(|back| back.map(|failing| failing.map(__Delivery::#variant)))
                }
            }
        });
        quote! {
            fn divert<__L: #p::Lift<Self>>(
                cells: &#cells_type,
                failing: #p::Failing<#delivery_type>,
                wire: u16,
                post: &mut #p::Post<Self>,
                mut lift: __L,
            ) -> ::core::result::Result<(), ::core::result::Result<#p::Failing<#delivery_type>, #p::Fault>> {
                let #p::Failing { delivery, error, attempts, id } = failing;
                match (wire, delivery) {
                    #(#own)*
                    #(#flows)*
                    (_, delivery) => {
                        ::core::result::Result::Err(::core::result::Result::Ok(
                            #p::Failing { delivery, error, attempts, id },
                        ))
                    }
                }
            }
        }
    }

    fn divert_arm(&self, wire: usize, slot: usize, parcel: &Ident) -> TokenStream {
        let p = self.p;
        let at = &self.slots[slot];
        let (alias, port, pattern) = (self.routine_type(at.routine), at.number, self.pattern(slot, parcel));
        let function = format_ident!("__wire{wire}_{slot}");
        let ways = self.ways_of_cells();
        let number = wire as u16;
        let wrap = match at.has_connection() {
            false => self.pattern(slot, parcel),
            true => {
                let variant = format_ident!("S{slot}");
                quote! { __Delivery::#variant(#parcel, connection) }
            }
        };
        // What only says that nothing more comes is no failure to send on, nor is half of a pair.
        let has_payload = match at.port.role {
            Role::Join => quote! { ::core::matches!(#parcel, #p::Arrival::Pair(_)) },
            _ => quote! { #parcel.has_payload() },
        };
        let empty = at.gathers().then(|| {
            quote! {
                if !#has_payload {
                    return ::core::result::Result::Err(::core::result::Result::Ok(
                        #p::Failing { delivery: #wrap, error, attempts, id },
                    ));
                }
            }
        });
        let what =
            format!("the error wire of `{}.{}`", self.model.graph.routines[at.routine].id, at.port.name);
        quote! {
            (#number, #pattern) => {
                #empty
                let __ways = #ways;
                let sent = match #p::payload::<#alias, #port>(#parcel) {
                    ::core::option::Option::Some(payload) => {
                        let failing = #p::Failing { delivery: (), error, attempts, id };
                        let failure = #p::failure(payload, &failing);
                        #p::operate(#what, || #function(failure, &__ways, post)).and_then(|sent| sent)
                    }
                    ::core::option::Option::None => ::core::result::Result::Ok(()),
                };
                sent.and_then(|()| lift.lift(post)).map_err(::core::result::Result::Err)
            }
        }
    }
}
