"""Mixed-integer linear bilevel problems as files: an MPS file and the ``.aux`` file that says what is the follower's."""
