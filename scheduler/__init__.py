"""When on the calendar: civil time and the loop that ticks. No Flask, no database."""
