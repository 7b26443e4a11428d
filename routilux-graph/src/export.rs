//! The flow in the formats of other tools, and as pictures. Each is a method of [`Graph`](crate::Graph), takes any flow, also one
//! with mistakes, and writes the same text for the same flow.

mod d2;
mod dot;
#[cfg(feature = "json")]
mod json;
mod look;
mod mermaid;
mod scope;
mod svg;
mod text;

#[cfg(test)]
mod tests {
    use crate::layout::tests::random_flow;
    use crate::model::Graph;
    use crate::testing::Lcg;

    type Exporter = fn(&Graph) -> String;

    /// Any flow is written in every format. With `EXPORTS=some/directory` the files are kept there, for
    /// `scripts/check-exporters some/directory`.
    #[test]
    fn any_flow_is_written() {
        let keep = std::env::var_os("EXPORTS").map(std::path::PathBuf::from);
        let mut random = Lcg(11);
        for number in 0..if keep.is_some() { 100 } else { 1_000 } {
            let graph = random_flow(&mut random, 8, 2);
            let exporters: [(&str, Exporter); 5] = [
                ("svg", Graph::to_svg),
                ("dot", Graph::to_dot),
                ("mmd", Graph::to_mermaid),
                ("d2", Graph::to_d2),
                ("txt", Graph::to_text),
            ];
            for (end, exporter) in exporters {
                let text = exporter(&graph);
                assert!(!text.contains('\0'));
                if let Some(keep) = &keep {
                    std::fs::write(keep.join(format!("{number}.{end}")), text).unwrap();
                }
            }
            for line in graph.to_text().lines() {
                assert!(
                    line.chars().filter(|c| !('\u{300}'..'\u{370}').contains(c)).count() <= 100,
                    "{line}"
                );
            }
        }
    }

    /// It stands in the middle of other documentation: an empty line would end it, and what follows would be Markdown.
    #[test]
    fn html_is_one_line_of_any_flow() {
        let mut random = Lcg(12);
        for _ in 0..500 {
            let html = random_flow(&mut random, 8, 1).to_rustdoc_svg();
            assert!(html.starts_with("<div ") && html.ends_with("</svg></div>"));
            assert!(!html.chars().any(char::is_control), "{html}");
            assert!(!html.contains(" id=") && !html.contains("url(") && !html.contains("<script"));
        }
    }

    #[test]
    fn flows_far_within_are_boxes_in_the_end() {
        let mut graph = Graph::new("Flow");
        for number in 0..30 {
            let mut outer = Graph::new(format!("Flow{number}"));
            outer.routines = vec![graph.instance("inner")];
            graph = outer;
        }
        let depth = |text: &str, word: &str| text.matches(word).count();
        assert_eq!(depth(&graph.to_dot(), "subgraph "), 20);
        assert_eq!(depth(&graph.to_mermaid(), "subgraph "), 20);
        assert_eq!(depth(&graph.to_d2(), "sql_table"), 1);
        assert_eq!(depth(&graph.to_text(), "(a flow)"), 30);
    }
}
