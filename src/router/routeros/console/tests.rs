use proptest::prelude::*;

use super::*;

const NONCE: u64 = 0xABC;
const MARK: &str = "OK-0000000000000abc";

fn line(request: Request<'_>, dialect: Dialect) -> CommandLine {
    CommandLine::new(request, dialect, NONCE)
}

fn print(dialect: Dialect) -> CommandLine {
    line(Request::Print(Menu::QueueTree, &[".id", "name"]), dialect)
}

#[test]
fn command_lines_are_what_routeros_reads() {
    let from =
        PingFrom { source: Some([192, 0, 2, 1].into()), interface: Some("lte \"1\"".to_owned()) };
    let id = &RowId::parse("*1A").unwrap();
    let set = Request::Set { menu: Menu::Mangle, id, property: "disabled", value: "false" };
    for (request, text) in [
        (
            Request::Print(Menu::QueueTree, &[".id", "name"]),
            ":put [:serialize to=json options=json.no-string-conversion \
             [/queue/tree/print as-value proplist=.id,name]]",
        ),
        (
            Request::Print(Menu::Identity, &[]),
            ":put [:serialize to=json options=json.no-string-conversion [/system/identity/get]]",
        ),
        (
            set,
            "/ip/firewall/mangle/set *1A disabled=\"no\"; :put [:serialize to=json \
             options=json.no-string-conversion [/ip/firewall/mangle/get *1A]]",
        ),
        (
            Request::Ping([9, 9, 9, 9].into(), &from, Duration::from_secs(1)),
            ":put [:serialize to=json options=json.no-string-conversion [/ping address=9.9.9.9 \
             count=1 as-value src-address=192.0.2.1 interface=\"lte \\\"1\\\"\"]]",
        ),
    ] {
        let command = line(request, Dialect::Json);
        assert_eq!(command.text(), format!("{text}; :put \"{MARK}\""));
        assert!(!command.text().contains(['\r', '\n']), "a console takes one line");
    }
    assert_eq!(
        print(Dialect::Text).text(),
        format!(
            ":foreach r in=[/queue/tree/print as-value proplist=.id,name] do={{:put \"{MARK} row\"; \
             :foreach k,v in=$r do={{:put (\"{MARK} \" . $k . \"=\" . [:tostr $v])}}}}; :put \"{MARK}\""
        )
    );
}

#[test]
fn typed_json_becomes_the_texts_of_rest() {
    let output = format!(
        "[{{\".id\":\"*1000000\",\"bucket-size\":0.05,\"bytes\":272603902153,\"disabled\":false,\
         \"dropped\":0.000000,\"invalid\":true,\"max-limit\":800000000,\"name\":\"007\",\
         \"comment\":\"\",\"target\":[\"10.0.0.0/8\",\"ether1\"],\"burst-time\":\"00:00:01\"}}]\r\n\
         {MARK}\r\n"
    );
    let rows = line(Request::Print(Menu::Resource, &[]), Dialect::Json).rows(&output).unwrap();
    let row = rows.first().unwrap();
    for (property, text) in [
        (".id", Some("*1000000")),
        ("bucket-size", Some("0.05")),
        ("bytes", Some("272603902153")),
        ("disabled", Some("false")),
        ("dropped", Some("0")),
        ("invalid", Some("true")),
        ("max-limit", Some("800000000")),
        ("name", Some("007")),
        ("comment", None),
        ("target", Some("10.0.0.0/8,ether1")),
        ("burst-time", Some("1s")),
    ] {
        assert_eq!(row.text(property), text, "{property}");
    }
}

#[test]
fn json_that_was_broken_at_the_width_of_the_terminal_is_put_together() {
    let output =
        format!("SEQ HOST\r\n[{{\"name\":\"wan 1 d\r\nl\"}},{{\"na\r\nme\":\"ul\"}}]\r\n{MARK}");
    let rows = print(Dialect::Json).rows(&output).unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.text("name")).collect();
    assert_eq!(names, [Some("wan 1 dl"), Some("ul")]);
}

#[test]
fn no_rows_are_no_rows_and_silence_is_an_error() {
    for empty in ["[]", "\"\""] {
        assert_eq!(print(Dialect::Json).rows(&format!("{empty}\r\n{MARK}\r\n")), Ok(vec![]));
    }
    assert_eq!(print(Dialect::Text).rows(&format!("{MARK}\r\n")), Ok(vec![]));
    // `:put` of nothing is an empty line: never a success without rows.
    let silent = print(Dialect::Json).rows(&format!("\r\n{MARK}\r\n")).unwrap_err();
    assert_eq!(silent.kind(), "unparsable");
}

#[test]
fn rows_as_text_hold_whatever_a_comment_holds() {
    let output = format!(
        "{MARK} row\r\n{MARK} .id=*1\r\n{MARK} comment=a;b=c;.id=*2\r\nand more\r\n{MARK} \
         max-limit=10M/20M\r\n{MARK} row\r\n{MARK} .id=*2\r\n{MARK} name=\r\n{MARK}\r\n"
    );
    let rows = print(Dialect::Text).rows(&output).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].text("comment"), Some("a;b=c;.id=*2\nand more"));
    assert_eq!(rows[0].text("max-limit"), Some("10000000/20000000"));
    assert_eq!((rows[1].text(".id"), rows[1].text("name")), (Some("*2"), Some("")));
}

#[test]
fn an_output_without_the_mark_is_a_failure_whatever_it_says() {
    for (output, kind) in [
        ("no such item\r\n", "not_found"),
        ("bad command name serialize (line 1 column 8)\r\n", "unknown_parameter"),
        ("expected end of command (line 1 column 24)\r\n", "unknown_parameter"),
        ("bad parameter max-limt (line 1 column 24)", "unknown_parameter"),
        ("syntax error (line 1 column 2)", "unknown_parameter"),
        ("not enough permissions (9)\r\n", "policy"),
        ("failure: already have such entry", "rejected"),
        ("invalid value for argument max-limit", "rejected"),
        ("ambiguous value of numbers", "ambiguous"),
        ("[{\"name\":\"dl\"}]\r\nno such item\r\n", "not_found"),
        ("[{\"name\":\"dl\"}]\r\n", "rejected"),
        ("OK-0000000000000abd\r\n", "rejected"),
        ("not OK-0000000000000abc\r\n", "rejected"),
        ("", "reset"),
        ("\r\n \r\n", "reset"),
    ] {
        let fault = print(Dialect::Json).rows(output).unwrap_err();
        assert_eq!(fault.kind(), kind, "{output:?}: {fault}");
    }
}

proptest! {
    #[test]
    fn no_output_panics(output in "(.|\r\n){0,200}", marked: bool) {
        let output = if marked { format!("{output}\r\n{MARK}\r\n") } else { output };
        let _ = print(Dialect::Json).rows(&output);
        let _ = print(Dialect::Text).rows(&output);
    }

    #[test]
    fn nearly_right_outputs_do_not_panic_either(
        body in "[\\[\\]{}\":,a-z0-9.*=;\r\n]{0,120}",
        lines in proptest::collection::vec("(row|[a-z]{0,3}=?.{0,5})", 0..6),
    ) {
        let _ = print(Dialect::Json).rows(&format!("{body}\r\n{MARK}\r\n"));
        let lines: Vec<_> = lines.iter().map(|line| format!("{MARK} {line}\r\n")).collect();
        let _ = print(Dialect::Text).rows(&format!("{}{MARK}\r\n", lines.concat()));
    }
}
