use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;

        in text -> lines.text;
        lines.line -> tok.line;
        tok.word -> count.word;
        lines.done -> count.end;
        count.totals -> return;

        on errors skip;
        on error;
        on error of tok.line;
        on error of;
        on error of tok.line.word skip;
        on error skp;
        on error of tok.line retry;
        on error of tok.line retry();
        on error of tok.line retry(0, 1s);
        on error of tok.line retry(always, 1s);
        on error of tok.line retry(foever, 1s);
        on error of tok.line retry(3, 1sec);
        on error of tok.line retry(3, 5m);
        on error of tok.line retry(3, 100);
        on error of tok.line retry(3, "100ms");
        on error of tok.line retry(3, 1.5s);
        on error of tok.line retry(3, 100msec);
        on error of tok.line retry(3, 100 ms);
        on error of tok.line retry(3, 99999d);
        on error of tok.line retry(60, 1s, x2);
        on error of tok.line retry(forever, 1s, x2);
        on error of tok.line retry(3, 1s, x0.5);
        on error of tok.line retry(3, x2);
        on error of tok.line retry(3, 1s, max 100ms);
        on error of tok.line retry(3, 1s, 2s);
        on error of tok.line retry(3, 1s, inorder);
        on error of tok.line retry(3, 1s) skip;
        on error of tok.line retry(3, 1s) then;
        on error of tok.line retry(forever, 1s) then skip;
        on error of tok.line then skip;
        on error of tok.line skip -> count.word;
        on error of tok.line => count.word;
        on error of tok.line -> return;
        on error of tok.line -> |failure| failure.payload -> count.word;
        on error if true skip;
        on error skip
        on panic stop;
        on error stop -> count.word -> count.end;
    }
}

fn main() {}
//~ RTX0085 RTX0085 RTX0085 RTX0085 RTX0003 RTX0086 RTX0087 RTX0087 RTX0087 RTX0087 RTX0087 RTX0088 RTX0088 RTX0088 RTX0088 RTX0088 RTX0088 RTX0088 RTX0088 RTX0087 RTX0087 RTX0087 RTX0087 RTX0087 RTX0087 RTX0087 RTX0085 RTX0085 RTX0085 RTX0085 RTX0085 RTX0089 RTX0072 RTX0089 RTX0085 RTX0073 RTX0085
