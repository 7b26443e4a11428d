//! The flow in JSON, for programs. What stands in it are the fields of the model under their own names, but for `type_name`, which
//! is `type`; what a slot keeps and when it runs are texts, as in `merge = "…"`.

use crate::model::{Graph, Merge, When};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl Graph {
    /// The flow in JSON, for programs; [`Graph::from_json`] reads it again.
    ///
    /// ```
    /// use routilux_graph::{Connection, Graph, Port, Routine, Slot, Source, Target};
    ///
    /// let mut print = Routine::new("print", "Print");
    /// print.slots.push(Slot::new("text", "String"));
    /// let mut graph = Graph::new("Hello");
    /// graph.routines.push(print);
    /// graph.connections.push(Connection::new(
    ///     Source::Input("text".into()),
    ///     Target::Slot(Port::new("print", "text")),
    /// ));
    /// let json = graph.to_json();
    /// let value: serde_json::Value = serde_json::from_str(&json)?;
    /// assert_eq!(value["routines"][0]["type"], "Print");
    /// assert_eq!(value["routines"][0]["slots"][0]["when"], "each");
    /// assert_eq!(value["connections"][0]["from"]["input"], "text");
    /// assert_eq!(Graph::from_json(&json)?, graph);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        // Nothing in a flow can fail to be written: there are no maps, and no numbers but whole ones.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// Reads what [`Graph::to_json`] wrote. What is not there is as it usually is.
    ///
    /// ```
    /// use routilux_graph::{Graph, Merge};
    ///
    /// let graph = Graph::from_json(
    ///     r#"{
    ///         "name": "Sum",
    ///         "routines": [
    ///             {"id": "sum", "type": "Sum", "slots": [{"name": "n", "payload": "u64", "merge": "fold add"}]}
    ///         ],
    ///         "connections": [{"from": {"input": "n"}, "to": {"slot": {"routine": "sum", "name": "n"}}}]
    ///     }"#,
    /// )?;
    /// assert_eq!(graph.routines[0].slots[0].merge, Merge::Fold("add".into()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is not JSON, or not that of a flow.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

impl Serialize for Merge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("`{text}` is nothing that a slot can keep")))
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("`{text}` is nothing that a slot can wait for")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::tests::random_flow;
    use crate::testing::Lcg;

    #[test]
    fn any_flow_is_read_back() {
        let mut random = Lcg(3);
        for _ in 0..300 {
            let graph = random_flow(&mut random, 8, 2);
            assert_eq!(Graph::from_json(&graph.to_json()).unwrap(), graph);
        }
    }

    #[test]
    fn what_is_no_flow_is_told() {
        let told = |json: &str| Graph::from_json(json).unwrap_err().to_string();
        let slot = r#"{"name": "F", "routines": [{"id": "a", "type": "A", "slots": [{"name": "x", "when": "soon"}]}]}"#;
        assert!(told(slot).starts_with("`soon` is nothing that a slot can wait for"), "{}", told(slot));
        assert!(told("{}").starts_with("missing field `name`"), "{}", told("{}"));
    }
}
