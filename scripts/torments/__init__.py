"""The tests of `scripts/torture`: one module a family, each with a control that must go red."""
