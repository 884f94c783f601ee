"""Accounts of AWS's own that resource policies name, and that no server has.

AWS: Elastic Load Balancing User Guide for Application Load Balancers, "Access logs" (enable-access-logging): the
accounts that write access logs in the Regions that had load balancers before August 2022.
"""

LOAD_BALANCER_LOGS = frozenset(
    {
        "127311923021", "033677994240", "027434742980", "797873946194", "098369216593", "754344448648",
        "718504428378", "582318560864", "600734575887", "383597477331", "114774131450", "783225319266",
        "589379963580", "985666609251", "054676820928", "156460612806", "652711504416", "009996457667",
        "635631232127", "897822967062", "076674570225", "507241528517",
    }
)  # fmt: skip
