Campaigns call lists of numbers (``rapida campaign``, ``/v1/campaigns``): so many a second and at once, in calling
hours by the clock of who is called, with retries, and leaving room for those who call in. They and the calls
of bulk requests survive ``kill -9``: nobody is called twice, nobody is forgotten.
