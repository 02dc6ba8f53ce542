use super::{super::super::fixture, *};

#[test]
fn what_has_no_room_goes_into_the_next_row() {
    let (before, mut cycle) = (fixture::cycle(0, 1), fixture::cycle(0, 2));
    let lost = cycle.samples[1];
    cycle.samples = vec![lost; 40];
    cycle.directions.upload.as_mut().unwrap().actuation.writes += 4;
    let mut carry = Carry::default();
    let first = pack(&cycle, Some(&before), &mut carry);
    let next = Cycle { number: 3, samples: Vec::new(), ..cycle.clone() };
    let second = pack(&next, Some(&cycle), &mut carry);
    for (field, all) in
        [(field::SENT, 40), (field::LOST, 40), (field::writes(Direction::Upload), 4)]
    {
        let reported = [first, second].map(|values| Unpacked(&values).get(field));
        assert_eq!(reported, [field.max(), all - field.max()], "{field:?}");
    }
    assert_eq!(carry, Carry::default());
}

#[test]
fn spans_add_up_and_holes_are_marked() {
    let at = |number: u64, micros: u64| {
        let mut cycle = fixture::cycle(0, number);
        cycle.at =
            wanctl_core::units::MonoTime::from_start(std::time::Duration::from_micros(micros));
        cycle
    };
    let cycles = [at(1, 50_400), at(2, 100_900), at(3, 149_999), at(5, 250_000), at(6, 9_000_000)];
    let mut reported = Vec::new();
    let mut before = None;
    for cycle in &cycles {
        let values = pack(cycle, before, &mut Carry::default());
        let row = Unpacked(&values);
        reported.push((row.get(field::SPAN_MS), row.get(field::GAP)));
        before = Some(cycle);
    }
    // At first and after a long pause the interval stands in; a dropped cycle is a hole, too.
    assert_eq!(reported, [(50, 1), (50, 0), (49, 0), (101, 1), (50, 1)]);
}

#[test]
fn fields_do_not_overlap() {
    let mut fields = field::INTEGERS.to_vec();
    fields.extend([field::MEASUREMENT, field::METHOD, field::NOISE]);
    for direction in Direction::ALL {
        fields.extend([
            field::state(direction),
            field::reason(direction),
            field::phase(direction),
            field::load(direction),
            field::attributed(direction),
            field::writes(direction),
            field::backlog(direction),
            field::drops(direction),
            field::capacity(direction),
        ]);
    }
    let mut used = [0_i64; RAW_COLUMNS.len()];
    for field in fields {
        let bits = field.max() << field.shift;
        assert_eq!(used[field.column] & bits, 0, "{field:?}");
        used[field.column] |= bits;
    }
}

#[test]
fn a_direction_that_is_not_shaped_has_no_value_and_no_time() {
    let cycles = [1, 2].map(|number| {
        let mut cycle = fixture::cycle(0, number);
        cycle.directions.download = None;
        cycle
    });
    let values = pack(&cycles[1], Some(&cycles[0]), &mut Carry::default());
    let row = Unpacked(&values);
    assert_eq!((row.state(Direction::Download), row.reason(Direction::Download)), (None, None));
    assert!(row.rates(Direction::Download).iter().all(Option::is_none));
    assert!(row.state(Direction::Upload).is_some());
    let bucket = super::super::summed(&values);
    for state in CongestionState::ALL {
        assert_eq!(bucket.state_ms(Direction::Download, state), 0);
    }
    let known = |direction: Direction| {
        let of = |field: &&crate::history::Field| field.topic().0 == Some(direction);
        crate::history::Field::all()
            .iter()
            .filter(of)
            .filter_map(|field| field.value(&bucket))
            .count()
    };
    assert_eq!((known(Direction::Download), known(Direction::Upload) > 10), (0, true));
}
