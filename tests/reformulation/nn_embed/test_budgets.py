"""What the user asks for is shared between everywhere and around the best; without a word it grows with the decisions."""

from __future__ import annotations

from bilevel_lang.reformulation.nn_embed.budgets import Budget, budget_for


def test_what_is_asked_for_is_spent() -> None:
    assert budget_for(3, 31) == Budget(16, 15, 15)


def test_more_inputs_never_get_less() -> None:
    small, large = budget_for(2, None), budget_for(200, None)
    assert small == budget_for(1, None)
    assert small.everywhere < large.everywhere and small.questions < large.questions and small.patience < large.patience
    assert small.patience < small.questions
