from streamer.bench.network.events import Alarm, Events


def test_events_happen_in_the_order_of_time_and_of_adding():
    events, happened = Events(), []
    events.at(20, lambda: happened.append(("second", events.now_us)))
    events.at(10, lambda: happened.append(("first", events.now_us)))
    events.at(20, lambda: happened.append(("third", events.now_us)))

    events.run_until(100)

    assert happened == [("first", 10), ("second", 20), ("third", 20)]
    assert events.now_us == 100


def test_event_at_the_end_does_not_happen():
    events, happened = Events(), []
    events.at(100, lambda: happened.append("late"))

    events.run_until(100)

    assert happened == []


def test_event_in_the_past_happens_now():
    events, happened = Events(), []
    events.at(50, lambda: events.at(10, lambda: happened.append(events.now_us)))

    events.run_until(100)

    assert happened == [50]


def test_alarm_rings_at_the_earliest_wish():
    events, rung = Events(), []
    alarm = Alarm(events, lambda: rung.append(events.now_us))

    for at_us in (50, 30, 40, None):
        alarm.set(at_us)
    events.run_until(100)

    assert rung == [30]


def test_alarm_can_be_set_again_when_it_rings():
    events, rung = Events(), []

    def ring():
        rung.append(events.now_us)
        alarm.set(events.now_us + 10)

    alarm = Alarm(events, ring)
    alarm.set(10)
    events.run_until(35)

    assert rung == [10, 20, 30]
