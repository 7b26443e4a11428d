//! The catalogue of mistakes: each has a code that its message ends with, a headline, and the token that is underlined.
//! Each code has a page in `docs/errors`. Codes are never used again for another mistake.

use std::fmt;

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal, $token:literal;)*) => {
        /// A mistake in a routine or a flow that is told when it is compiled.
        ///
        /// ```
        /// use routilux_graph::Code;
        ///
        /// assert_eq!(Code::UnknownEvent.to_string(), "RTX0002");
        /// assert_eq!(Code::UnknownEvent.headline(), "A routine has no event of this name");
        /// assert_eq!(Code::UnknownEvent.token(), "the name of the event");
        /// assert!(Code::ALL.contains(&Code::UnknownEvent));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])* $name = $number,)* }

        impl Code {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// What is wrong, in general.
            pub fn headline(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),*).trim_ascii(),)* }
            }

            /// What is underlined.
            pub fn token(self) -> &'static str {
                match self { $(Code::$name => $token,)* }
            }
        }
    };
}

catalogue! {
    // The names in a flow.
    /// A flow has no routine of this id
    UnknownRoutine = 1, "the id";
    /// A routine has no event of this name
    UnknownEvent = 2, "the name of the event";
    /// A routine has no slot of this name
    UnknownSlot = 3, "the name of the slot";
    /// A join has no parameter of this name
    UnknownParameter = 4, "the name of the parameter";
    /// An event where a slot belongs
    EventForSlot = 5, "the name of the event";
    /// A slot where an event belongs
    SlotForEvent = 6, "the name of the slot";
    /// A connection is written from its end to its beginning
    WrongWayRound = 7, "the connection";
    /// A connection ends at a join, and not at one of its parameters
    JoinAsWhole = 8, "the name of the join";
    /// Nothing is sent to a source or a finish
    RunsByItself = 9, "the name of the source or finish";
    /// A handler cannot fail, so it has no error event and no policy
    CannotFail = 10, "the error event, or the policy";
    /// Several handlers of a routine may fail, and `id.error` names none
    UnclearError = 11, "`error`";
    /// A flow in a flow is used across its boundary
    AcrossBoundary = 12, "what follows the flow's id";
    /// Two routines of a flow have one id
    DuplicateRoutine = 13, "the second id";
    /// A connection is written twice
    DuplicateConnection = 14, "the second end";
    /// An input is written twice
    DuplicateInput = 15, "the second name";
    /// An output is given two types
    DuplicateOutput = 16, "the second type";
    /// A flow returns twice
    SecondReturn = 17, "the second `return`";
    /// Nothing is connected to a slot
    UnconnectedSlot = 18, "the routine's id";
    /// Nothing is connected to a parameter of a join
    UnconnectedParameter = 19, "the routine's id";
    /// A connection closes a cycle and is not marked
    UnmarkedCycle = 20, "the end of the connection";
    /// `loop` where nothing leads back
    NoCycle = 21, "the end of the connection";
    /// A drained slot leads to itself
    DrainedDownstream = 22, "the end of the connection that leads back";
    /// A flow has no input and no source
    NoWayIn = 23, "the flow's name";
    /// An event is ignored and connected
    IgnoredDelivered = 24, "the event";
    /// An error event is ignored
    IgnoredError = 25, "the error event";
    /// A live event goes to a slot or to `return`
    LiveDelivered = 26, "the end of the connection";
    /// A live event and another share an output
    LiveShared = 27, "the second end";
    /// A live event has a guard, a map or a conversion on its way
    LiveOperator = 28, "the beginning of the connection";
    /// An `else` belongs to no guard
    ElseWithoutGuard = 29, "the `else`";
    /// The type of an input, an output or the result has to be written
    UntypedPort = 30, "the name";
    /// A handler that panicked left something undone, so a policy cannot go on
    NotWhole = 31, "the policy";
    /// A policy is never tried
    UnreachablePolicy = 32, "the policy";
    /// A second policy for the whole flow
    SecondDefault = 33, "the policy";
    /// What fails in a flow is sent on from outside
    DivertedFromOutside = 34, "the target";
    /// An event leads nowhere (warning)
    EventLeadsNowhere = 35, "the routine's id";
    /// No way leads to a routine (warning)
    RoutineNeverReached = 36, "the routine's id";
    /// A join may wait for a partner that never comes (warning)
    JoinMayStarve = 37, "the first word of the connection's end, or of the policy";
    /// Every event on a cycle is sent each time, so it never ends (warning)
    EndlessCycle = 38, "the first word of the connection's end";

    // The types in a flow.
    /// A type in a flow is no routine
    NoRoutine = 50, "the type";
    /// A routine is named by a `type` alias
    Alias = 51, "the alias";
    /// A routine's type parameters are not given
    WithoutArguments = 52, "the type";
    /// A flow is a part of itself
    FlowInItself = 53, "the type";
    /// A type parameter of a flow lacks a bound
    MissingBound = 54, "the type parameter, where it is used";
    /// A flow has too many routine types for the compiler's limit
    RecursionLimit = 55, "the `flow!`, or the `#[routine]` of one of its routines";
    /// A flow and a routine are of two versions of routilux
    TwoVersions = 56, "the type";
    /// The configuration of a routine lacks a field
    MissingField = 57, "the type";
    /// The configuration of a routine has a field too many
    UnknownField = 58, "the name of the field";
    /// A configuration is not written by name
    ConfigurationShape = 59, "the configuration";
    /// A type in a flow is misspelt or not imported
    RoutineNotFound = 60, "the type";
    /// The configuration of a routine has a field of another type
    FieldType = 61, "the value";
    /// A routine in a flow is private where it is declared
    PrivateRoutine = 62, "the type";
    /// Two routines of one name are in scope
    AmbiguousRoutine = 63, "the type, or the second import";

    // The text of a flow.
    /// A flow begins with `flow`, its name and its body
    FlowHeader = 70, "what is wrong in it";
    /// A parameter of a flow is a name and a type
    FlowParameter = 71, "the parameter";
    /// A statement cannot be read
    Statement = 72, "the statement, or where it goes wrong";
    /// A statement does not end
    MissingSemicolon = 73, "the first token of the next statement, or the last one of the flow";
    /// Something is missing in a connection
    MissingEnd = 74, "the token beside the gap";
    /// There is no such arrow
    Arrow = 75, "the token";
    /// A routine is declared as `id: Type { configuration };`
    RoutineShape = 76, "what is wrong in it";
    /// A port is a name or two
    PortShape = 77, "the port";
    /// A guard is a closure of one value
    GuardShape = 78, "the guard";
    /// A map is a closure of one value
    MapShape = 79, "the map";
    /// A closure ends too early, or not where it should
    ClosureShape = 80, "the closure, or what follows it";
    /// An `else` follows a guard, once
    ElseShape = 81, "the `else`";
    /// The bound of a loop is a number from 1 on
    LoopBound = 82, "the bound";
    /// Feedback goes to a slot
    LoopTarget = 83, "the target";
    /// A type is missing or cannot be read
    TypeShape = 84, "the type, or the `:` before it";
    /// A policy cannot be read
    PolicyShape = 85, "what is wrong in it";
    /// A policy does something unknown
    UnknownAction = 86, "the word";
    /// The numbers of a `retry` do not make sense
    RetryShape = 87, "the part of the `retry`";
    /// A duration is a whole number and a unit
    Duration = 88, "the duration";
    /// A failure goes on as it is
    FailureAsItIs = 89, "the arrow or the map";
    /// A name is reserved
    ReservedName = 90, "the name";

    // Routines.
    /// `#[routine]` stands at the wrong place, or with an argument that it does not know
    RoutinePlace = 100, "the item, or the argument";
    /// `#[routine]` is on the `impl` block and not on the struct
    StructNotMarked = 101, "the struct's name";
    /// `#[routine]` is on the struct and not on its `impl` block
    ImplNotMarked = 102, "the name of the first marked function";
    /// A routine has two `#[routine]` blocks
    SecondImpl = 103, "the second block's `#[routine]`";
    /// A mark of a field or a function is not known, or is there twice
    FieldMark = 104, "the mark";
    /// A field of a routine has no name
    UnnamedField = 105, "the fields";
    /// State can be changed through `&self`
    SharedState = 106, "the field's type";
    /// A port or a field depends on `#[cfg]`
    ConditionalPort = 107, "the attribute";
    /// A routine holds a routine of its own type
    RoutineInItself = 108, "the field, or the type";
    /// A type parameter of a routine lacks a bound
    RoutineBound = 109, "the type parameter";
    /// An event is a name and what it carries
    EventShape = 110, "what is wrong in it";
    /// A payload is owned, and of one type
    PayloadShape = 111, "the type";
    /// An attribute has no such option
    UnknownOption = 112, "the option";
    /// The value of an option cannot be read
    OptionValue = 113, "the value";
    /// An option is there twice
    OptionTwice = 114, "the second one";
    /// There is no such `merge`
    UnknownMerge = 115, "the value";
    /// There is no such `when`
    UnknownWhen = 116, "the value";
    /// A slot that keeps nothing cannot wait for more
    KeepsNothing = 117, "the value of `when`";
    /// A handler does not take `self` as it should
    Receiver = 118, "the receiver, or the handler's name";
    /// The arguments of a handler are of the wrong kind, or in the wrong order
    Arguments = 119, "the argument";
    /// What a slot keeps is taken as another type
    MergedType = 120, "the type";
    /// A handler is `async` where it cannot be
    AsyncHandler = 122, "`async`";
    /// A handler is generic, or has no body
    HandlerShape = 123, "what is wrong in it";
    /// A fold takes what it has so far and a value
    FoldShape = 124, "what is wrong in it";
    /// A join takes one value of each parameter
    JoinShape = 125, "what is wrong in it";
    /// A source takes nothing, and says whether there is more
    SourceShape = 126, "what is wrong in it";
    /// A finish takes nothing, and there is one
    FinishShape = 127, "what is wrong in it";
    /// Two ports of a routine have one name
    DuplicatePort = 128, "the second name";
    /// What a handler returns goes to no event
    EmitTarget = 129, "the type, or the value of `emit`";
    /// A function has two marks
    TwoMarks = 130, "the second mark";
    /// A routine borrows
    RoutineBorrows = 131, "the lifetime, or the field's type";
    /// An option does not go with its handler
    OptionConflict = 132, "the attribute";

    // What only the types tell.
    /// An event and the slot it goes to have different payloads
    PayloadMismatch = 150, "the name of the slot or output, or `return`";
    /// An event has to be converted into what the slot takes
    WriteConversion = 151, "the name of the slot or output, or `return`";
    /// An event cannot be converted into what the slot takes
    NoConversion = 152, "the name of the slot or output, or `return`";
    /// A guard does not say yes or no
    GuardType = 153, "the guard";
    /// A map makes something else than the slot takes
    MapType = 154, "the map";
    /// A payload cannot be saved
    PayloadNotSaved = 155, "the payload's type, or the name of the output, or `return`";
    /// A payload that goes to several receivers is not `Clone`
    FanOutNotClone = 156, "the id of the routine that sends it, or the input's name";
    /// A payload that a handler takes by value and may fail on is not `Clone`
    PayloadNotClone = 157, "the payload's type";
    /// State of a handler that may fail is not `Clone`
    StateNotClone = 158, "the handler's name";
    /// State cannot be saved
    StateNotSaved = 159, "the field's type";
    /// A field has no `Default` to start at
    FieldWithoutDefault = 160, "the field's type";
    /// What a fold makes has no `Default`, or cannot be kept
    FoldedType = 161, "the type";
    /// A routine, a payload or a flow cannot run on threads
    NotOnThreads = 162, "the call that starts it, or the `async` of a handler";
    /// A live event's payload is not `Send`
    LiveNotSend = 163, "the payload's type";
    /// What a handler returns is no result of one
    NoResult = 164, "the type";
    /// What a handler returns is not what its event carries
    EmittedType = 165, "the type";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RTX{:04}", *self as u16)
    }
}
