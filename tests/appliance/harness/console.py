"""A person at the appliance's console: a shell on a terminal of its own, where prompts are seen and answered."""
import os
import selectors
import subprocess
import time

from .machine import PATIENCE


class Console:
    def __init__(self, machine):
        self._process = subprocess.Popen(
            machine.ssh("-tt"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.seen = ""  # all that was printed
        self._read_up_to = 0
        self._commands = 0

    def __enter__(self):
        self.type("PS1= PS2=; stty -echo")
        self.command("true")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def type(self, text):
        self._process.stdin.write(text.encode() + b"\n")
        self._process.stdin.flush()

    def expect(self, text, limit=300, unless=""):
        """Waits until the text appears after what was expected last, and returns what came before it.

        When the text of unless comes instead, it is of no use to wait any longer.
        """
        end = time.monotonic() + limit * PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while text not in self.seen[self._read_up_to :]:
                if unless and unless in self.seen[self._read_up_to :]:
                    raise EOFError(f"'{text}' did not appear; seen so far:\n{self.seen}")
                if not selector.select(max(0, end - time.monotonic())):
                    raise TimeoutError(f"'{text}' did not appear; seen so far:\n{self.seen}")
                data = os.read(self._process.stdout.fileno(), 65536)
                if not data:
                    raise EOFError(f"the console closed before '{text}' appeared; seen so far:\n{self.seen}")
                self.seen += data.decode(errors="replace").replace("\r\n", "\n")
        before, _, _ = self.seen[self._read_up_to :].partition(text)
        self._read_up_to += len(before) + len(text)
        return before

    def command(self, text, answers=(), limit=900):
        """Types a command, answers its prompts in order, and returns its status and what it printed."""
        self._commands += 1
        mark = f"[{self._commands} ended with"
        # All on one line: what is typed ahead on another would answer the command's prompts.
        self.type(f"{text}; echo \"[{self._commands} ended with $?]\"")
        printed = ""
        for prompt, answer in answers:
            printed += self.expect(prompt, limit, unless=mark) + prompt
            self.type(answer)
        printed += self.expect(mark, limit)
        return int(self.expect("]", limit)), printed
