import pytest

from streamer import child
from tests.fakes.doctor import make_case


def test_question_holds_no_secrets_and_no_command_line(monkeypatch, tmp_path):
    asked = {}
    monkeypatch.setattr(child, "ask", lambda *_, given, **__: asked.update(given) or {"answer": 1, "hangs": []})
    case = make_case(
        tmp_path, server={"token": "0123456789abcdef"}, session={"app": "secret --password x", "size": "64x64"}
    )

    assert case.ask("offer", backend="software") == 1

    assert "secret" not in str(asked)
    assert "0123456789abcdef" not in str(asked)
    assert asked["config"]["session"] == {"size": "64x64", "fps": 60.0}


def test_refusal_is_an_error_in_words(monkeypatch, tmp_path):
    monkeypatch.setattr(child, "ask", lambda *_, **__: {"refusal": "it does not", "hangs": []})

    with pytest.raises(child.ChildError, match="it does not"):
        make_case(tmp_path).ask("offer")


def test_driver_that_hung_once_is_waited_for_no_more(monkeypatch, tmp_path):
    case = make_case(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(child, "ask", lambda *_, **__: {"refusal": "it hung", "hangs": ["it hung"]})
        with pytest.raises(child.ChildError):
            case.ask("sessions", backend="nvenc")

        # This one was asked before.
        patched.setattr(child, "ask", lambda *_, **__: {"answer": 1, "hangs": []})
        case.ask("why_unavailable", kind="sources", name="test")

    # The process that is asked is a real one.
    with pytest.raises(child.ChildError, match=r"^it hung$"):
        case.ask("offer", backend="nvenc_av")


@pytest.mark.parametrize(
    ("video", "needs", "wants"),
    [
        ({}, False, True),
        ({"encoder": "nvenc"}, True, True),
        ({"encoder": "nvenc_av"}, True, True),
        ({"encoder": "software"}, False, False),
        ({"encoders": ["software"]}, False, False),
    ],
)
def test_configuration_tells_whether_a_gpu_is_wanted(tmp_path, video, needs, wants):
    case = make_case(tmp_path, video=video)

    assert (case.needs_nvidia, case.wants_nvidia) == (needs, wants)


def test_gpu_is_that_of_whichever_backend_names_one(tmp_path):
    assert make_case(tmp_path).gpu == 0
    assert make_case(tmp_path, encoders={"nvenc_av": {"gpu": 2}}).gpu == 2
