"""Sound around a head: responses of ears, and sources that stand still or move."""
