"""Many ECGs without a page: a folder of them to one table, and a folder that is watched for new ones.

ecgkt explain DIR --out results.parquet      `command` -> `folder` -> `workers` -> `rows` -> `table`
ecgkt explain --watch DIR --out OUT          `command` -> `watch` -> `journal`
"""
