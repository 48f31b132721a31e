"""A session that only listens: it keeps every command, and says what a test wants said."""

import asyncio
from collections.abc import Callable

from streamer.protocol.signaling import Bye, ByeCode, Offer
from streamer.session.door import Command, Ended, Event, Join, Listener, Say


class FakeDoor:
    """A `Door`. With `offers`, each `Join` is answered by an offer, as a session does."""

    def __init__(self, *, offers: bool = True) -> None:
        self.commands: list[Command] = []
        self._offers = offers
        self._listeners: list[Listener] = []
        self._changed = asyncio.Event()

    def submit(self, command: Command) -> None:
        self.commands.append(command)
        self._changed.set()
        if self._offers and isinstance(command, Join):
            self.tell(Say(command.viewer, Offer(generation=1, sdp="v=0\r\n")))

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def dismiss(self, viewer: str, code: ByeCode, *, retry: bool = False) -> None:
        self.tell(Say(viewer, Bye(reason="the test says so", code=code, retry=retry)))

    def end(self, *, is_failure: bool = False) -> None:
        self.tell(Ended("the test says so", is_failure=is_failure))

    async def wait_for(self, is_there: Callable[[list[Command]], bool]) -> None:
        """Return once the commands so far satisfy `is_there`."""
        async with asyncio.timeout(5):
            while not is_there(self.commands):
                self._changed.clear()
                await self._changed.wait()
